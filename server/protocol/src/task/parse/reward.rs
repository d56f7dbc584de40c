//! `reward` and `token`: read exactly, never through a float.

use super::SpecPolicy;
use super::reader::{Complaints, ObjectReader, kind_of};
use crate::amount::{Reward, TokenAmount, TokenInfo};

pub(super) fn read_reward(
    task: &mut ObjectReader,
    policy: &SpecPolicy,
    complaints: &mut Complaints,
) -> Option<Reward> {
    let token = read_token(task, policy, complaints);
    let raw = task.required_raw("reward", complaints)?;
    let token = token?;
    let pointer = task.pointer_to("reward");
    let text = match kind_of(raw.get()) {
        "a string" => serde_json::from_str(raw.get()).unwrap_or_default(),
        "a number" => raw.get().to_owned(),
        other => {
            complaints.add(
                &pointer,
                format!("must be a number or a decimal string, not {other}"),
            );
            return None;
        }
    };
    match TokenAmount::from_tokens(&text, token.decimals) {
        Ok(amount) => Some(Reward {
            amount,
            token: token.symbol,
            decimals: token.decimals,
        }),
        Err(error) => {
            complaints.add(&pointer, error.to_string());
            None
        }
    }
}

fn read_token(
    task: &mut ObjectReader,
    policy: &SpecPolicy,
    complaints: &mut Complaints,
) -> Option<TokenInfo> {
    let Some(symbol) = task.value::<String>("token", "a string", complaints) else {
        return policy.tokens.first().cloned();
    };
    let found = policy.tokens.iter().find(|token| token.symbol == symbol).cloned();
    if found.is_none() {
        let offered: Vec<&str> = policy.tokens.iter().map(|token| token.symbol.as_str()).collect();
        complaints.add(
            &task.pointer_to("token"),
            format!("must be one of {}", offered.join(", ")),
        );
    }
    found
}
