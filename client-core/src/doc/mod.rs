//! The Automerge field document of a case, and the gate every foreign change passes.
