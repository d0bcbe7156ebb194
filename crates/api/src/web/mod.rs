//! What all routes share: reading requests (principal, ids, query, body, idempotency key), answering them (positions,
//! entity tags, stored answers) and running commands exactly once.

mod admission;
mod answer;
mod body;
pub mod check;
mod command;
mod context;
mod etag;
mod idempotent;
mod lists;
mod meters;
mod or_all;
mod outcome;
mod params;
mod position;
mod present;
mod principal;
mod reading;
mod scope;
mod signed;

pub(crate) use admission::{Admission, Class, Place, admit, place_to_pay};
pub use answer::Answer;
pub use body::{Body, NoBody, Price, object, objects};
pub use command::{Command, CommandMeta};
pub use context::{RequestContext, request_context};
pub use etag::{IfMatch, etag, not_modified};
pub use idempotent::{Opening, Prepared, Ticket};
pub use lists::{Limits, OnlyPages, Page, PageQuery, checked_limit, page_of};
pub(crate) use meters::{Meters, Refused, observe};
pub use or_all::OrAll;
pub use outcome::{Following, Outcome};
pub use params::{Params, PathId};
pub use position::{POSITION_HEADER, PositionError, opaque, parse_position};
pub use present::{Versioned, bare, present, present_step, single};
pub use reading::{MIN_POSITION_HEADER, Reading};
pub use scope::{scope, scope_stays};
pub use signed::Signed;
