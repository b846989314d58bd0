//! How good a grouping is: by the rows themselves ([`davies_bouldin`], [`calinski_harabasz`], [`silhouettes`]), or
//! held against another grouping of the same rows ([`adjusted_rand`], [`normalized_mutual_info`]).

mod agreement;
mod codes;
mod pairs;
mod silhouette;
mod spread;

pub use agreement::{Average, adjusted_rand, normalized_mutual_info};
pub use codes::Labels;
pub use silhouette::silhouettes;
pub use spread::{SpreadScore, calinski_harabasz, davies_bouldin};
