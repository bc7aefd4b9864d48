//! The rules of the trade on the server: intake, ledger, counts, scope. Runs without HTTP.
//!
//! | module | what it gives |
//! |---|---|
//! | [`intake`] | pushes of phones and orders of the hotline become facts and cases |
//! | [`disputes`] | what phones say of a case that does not fit together |
//! | [`facts`] | the facts of a case as readers show them |
//! | [`ledger`] | `append`: the only writer of decisions |
//! | [`requests`] | what phones ask of the ledger |
//! | [`commands`] | verbs of the office |
//! | [`held`] | voids that may still be taken back |
//! | [`cases`] | lists, one case, its events |
//! | [`clocks`] | how long reviews, signatures, handling and checks have, and had |
//! | [`accounts`] | users as administrators keep them |
//! | [`void_reasons`] | why a report may be void, as a district has it |
//! | [`dispatch`] | which unit usually handles what, and where |
//! | [`desk`] | what waits for a unit, a dispatcher, a duty leader |
//! | [`timetables`], [`timetable_changes`] | which calendar and limits are in force |
//! | [`counts`] | what each published number means |
//! | [`uploads`] | who may send which bytes, and when a photo is here |
//! | [`editions`] | published reports, which later ones are compared with |
//! | [`own_day`] | what a reviewer decided today, and how fast |
//! | [`phones`] | what is still on which phone |
//! | [`scope`] | what a person may see |
//! | [`feed`] | what happened, for phones |
//! | [`photos`] | photos of a case, for whoever may see it |
//! | [`phones`], [`bundle`] | what is known of phones, and what they keep a copy of |
//! | [`directory`] | org tree and category trees in memory |
//! | [`exchange`] | what another file of reference data would change, and whether it may |
//! | [`nearby`] | reports that may be of the same problem |
//! | [`numbering`] | case numbers |
//! | [`audit`] | who did what outside the ledger as well |
//! | [`verify`] | recounts everything from the ledger |
//! | [`waiting`] | the review queue: overdue first, then the oldest |
//! | [`work`] | what a transaction writes once at its end |

pub mod accounts;
pub mod attachments;
pub mod audit;
pub mod bundle;
pub mod cases;
pub mod clocks;
pub mod commands;
pub mod counts;
pub mod desk;
pub mod directory;
pub mod dispatch;
pub mod disputes;
pub mod editions;
pub mod exchange;
pub mod external;
pub mod facts;
pub mod feed;
pub mod held;
pub mod intake;
pub mod ledger;
pub mod nearby;
pub mod numbering;
pub mod own_day;
pub mod people;
pub mod phones;
pub mod photos;
pub mod quarantine;
pub mod references;
pub mod requests;
pub mod scope;
pub mod services;
pub mod timetable_changes;
pub mod timetables;
pub mod uploads;
pub mod verify;
pub mod void_reasons;
pub mod waiting;
pub mod work;

#[cfg(test)]
mod tests;
