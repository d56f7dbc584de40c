//! What stands around every page.

mod footer;
mod header;
mod live_indicator;

pub(crate) use footer::SiteFooter;
pub(crate) use header::SiteHeader;
