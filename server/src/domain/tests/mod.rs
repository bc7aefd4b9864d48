//! The rules of the trade against a district in memory.

mod agreement;
mod born_at_the_office;
mod clocks;
mod mixture;
mod offices;
mod retired;
mod whole_way;

use xunge_client_core::model::{CaseId, Mode};
use xunge_client_core::workflow::Payload;

use super::commands::{CommandError, Reply};
use crate::params;
use crate::testing::{District, Phone, facts};

/// A case reported by phone.
async fn reported(district: &District, mode: Mode) -> (Phone, CaseId) {
    let user = district.inspectors().await.remove(0);
    let mut phone = district.phone(&user).await;
    let case = phone.report(&facts(district.fresh(), mode, district.now()));
    phone.drain(district).await;
    (phone, case)
}

fn void() -> Payload {
    Payload { reason: Some("false_report".into()), ..Payload::default() }
}

fn code(result: Result<Reply, CommandError>) -> &'static str {
    result.unwrap_err().code()
}

/// The first user with a role.
async fn someone(district: &District, role: &str) -> String {
    let sql = "SELECT id FROM user_account WHERE role = ?1 ORDER BY id LIMIT 1";
    district.rows_with(sql, params![role].to_vec()).await[0].text(0).unwrap().to_owned()
}
