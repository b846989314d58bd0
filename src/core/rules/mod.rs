//! Segments and tags as SQL boolean expressions with three-valued logic.
