//! The market: every task, newest first.

mod filter;
mod list;
mod page;
mod table;

pub use page::MarketPage;
