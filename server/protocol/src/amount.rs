//! Money: whole base units of a token, as a 256-bit integer. There is no float anywhere near it.

use std::fmt;

use ruint::aliases::U256;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The most decimals a token may have: 10^77 is the largest power of ten below 2^256.
pub const MAX_DECIMALS: u8 = 77;

/// A longer text cannot be an amount: 78 digits of 2^256, a point, and room for zeros around them.
const MAX_TEXT_LEN: usize = 200;

/// A number of base units (the "wei" of its token). In JSON a decimal string, because a JSON number loses digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TokenAmount(U256);

/// Why a text is not an amount of a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseAmountError {
    #[error("must be a decimal number such as 100 or \"0.25\"")]
    NotANumber,
    #[error("must not be negative")]
    Negative,
    #[error("has more than the {decimals} decimals of the token")]
    TooPrecise { decimals: u8 },
    #[error("does not fit in 256 bits")]
    TooLarge,
}

impl TokenAmount {
    pub const ZERO: Self = Self(U256::ZERO);

    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Reads whole tokens (`100`, `0.1`, `1e3`) exactly into base units of a token with that many decimals.
    pub fn from_tokens(text: &str, decimals: u8) -> Result<Self, ParseAmountError> {
        if text.len() > MAX_TEXT_LEN {
            return Err(ParseAmountError::TooLarge);
        }
        if text.starts_with('-') {
            return Err(ParseAmountError::Negative);
        }
        let (digits, exponent) = split_number(text)?;
        let significant = digits.trim_start_matches('0');
        if significant.is_empty() {
            return Ok(Self::ZERO);
        }
        let trimmed = significant.trim_end_matches('0');
        let dropped = i32::try_from(significant.len() - trimmed.len()).unwrap_or(i32::MAX);
        let shift = exponent
            .saturating_add(dropped)
            .saturating_add(i32::from(decimals));
        let shift = usize::try_from(shift).map_err(|_| ParseAmountError::TooPrecise { decimals })?;
        if trimmed.len() + shift > 78 {
            return Err(ParseAmountError::TooLarge);
        }
        let units = format!("{trimmed}{}", "0".repeat(shift));
        U256::from_str_radix(&units, 10)
            .map(Self)
            .map_err(|_| ParseAmountError::TooLarge)
    }

    /// Whole tokens with exactly the digits needed: `100`, `0.1`.
    pub fn to_tokens(self, decimals: u8) -> String {
        let decimals = usize::from(decimals);
        let digits = format!("{:0>width$}", self.0.to_string(), width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        match fraction.trim_end_matches('0') {
            "" => whole.to_owned(),
            fraction => format!("{whole}.{fraction}"),
        }
    }
}

/// Splits `12.5e2` into its digits `125` and the power of ten they are multiplied with, `1`.
fn split_number(text: &str) -> Result<(String, i32), ParseAmountError> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (
            mantissa,
            exponent
                .parse::<i32>()
                .map_err(|_| ParseAmountError::NotANumber)?,
        ),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return Err(ParseAmountError::NotANumber);
    }
    let places = i32::try_from(fraction.len()).map_err(|_| ParseAmountError::TooLarge)?;
    Ok((format!("{whole}{fraction}"), exponent.saturating_sub(places)))
}

/// Base units in decimal.
impl fmt::Display for TokenAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads base units in decimal, the form it is stored and sent in.
impl std::str::FromStr for TokenAmount {
    type Err = ParseAmountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ParseAmountError::NotANumber);
        }
        Self::from_tokens(text, 0)
    }
}

impl Serialize for TokenAmount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TokenAmount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A token the server accepts for rewards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenInfo {
    /// As shown to people and named in `token`: `PAR`, `USDC`.
    pub symbol: String,
    /// How many digits of a whole token are base units, as ERC-20's `decimals()`.
    pub decimals: u8,
}

/// What a task promises for its result: an amount and how to read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reward {
    /// Base units.
    pub amount: TokenAmount,
    pub token: String,
    pub decimals: u8,
}

/// `100 PAR`
impl fmt::Display for Reward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount.to_tokens(self.decimals), self.token)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn units(text: &str) -> Result<String, ParseAmountError> {
        TokenAmount::from_tokens(text, 18).map(|amount| amount.to_string())
    }

    #[test]
    fn reads_exactly() {
        assert_eq!(units("100").unwrap(), "100000000000000000000");
        assert_eq!(units("0.1").unwrap(), "100000000000000000");
        assert_eq!(units("0.000000000000000001").unwrap(), "1");
        assert_eq!(
            units("1.500000000000000000000000").unwrap(),
            "1500000000000000000"
        );
        assert_eq!(units("1e3").unwrap(), units("1000").unwrap());
        assert_eq!(units("25E-1").unwrap(), units("2.5").unwrap());
        assert_eq!(units("0").unwrap(), "0");
        assert_eq!(units("0e999999").unwrap(), "0");
    }

    #[test]
    fn refuses_what_is_no_amount() {
        assert_eq!(units("-1"), Err(ParseAmountError::Negative));
        for bad in [
            "", "NaN", "1.", ".5", "0x10", "1_000", " 1", "1e", "1e1.5", "Infinity", "1,5", "+1",
        ] {
            assert_eq!(units(bad), Err(ParseAmountError::NotANumber), "{bad}");
        }
        assert_eq!(
            units("0.0000000000000000001"),
            Err(ParseAmountError::TooPrecise { decimals: 18 })
        );
        assert_eq!(units("1e60"), Err(ParseAmountError::TooLarge));
        assert_eq!(units("1e2147483647"), Err(ParseAmountError::TooLarge));
        assert_eq!(
            units("1e-2147483648"),
            Err(ParseAmountError::TooPrecise { decimals: 18 })
        );
        assert_eq!(units(&"9".repeat(300)), Err(ParseAmountError::TooLarge));
    }

    #[test]
    fn the_largest_amount_is_the_largest_256_bit_number() {
        let max = U256::MAX.to_string();
        assert_eq!(TokenAmount::from_tokens(&max, 0).unwrap().to_string(), max);
        let over = "115792089237316195423570985008687907853269984665640564039457584007913129639936";
        assert_eq!(TokenAmount::from_tokens(over, 0), Err(ParseAmountError::TooLarge));
    }

    proptest! {
        #[test]
        fn whole_tokens_round_trip(limbs: [u64; 4], decimals in 0..=MAX_DECIMALS) {
            let amount = TokenAmount(U256::from_limbs(limbs));
            let text = amount.to_tokens(decimals);
            prop_assert_eq!(TokenAmount::from_tokens(&text, decimals), Ok(amount));
            let json = serde_json::to_string(&amount).unwrap();
            prop_assert_eq!(serde_json::from_str::<TokenAmount>(&json).unwrap(), amount);
        }

        #[test]
        fn no_text_panics(text: String, decimals in 0..=MAX_DECIMALS) {
            let _result = TokenAmount::from_tokens(&text, decimals);
        }
    }
}
