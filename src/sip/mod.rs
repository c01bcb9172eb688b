//! SIP: wire, transactions, dialogs, endpoint. Pure.
