//! Favourites (`/people/{id}/favourites`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The people at the top of a person's board.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Favourites)]
#[serde(deny_unknown_fields)]
pub struct FavouritesBody {
    /// Ids of people.
    pub people: Vec<String>,
}
