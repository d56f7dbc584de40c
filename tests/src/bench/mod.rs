//! Figures, each beside its peers and its floor.
