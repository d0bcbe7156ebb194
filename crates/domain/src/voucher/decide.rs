//! What a voucher answers to each command in each state.

use super::{
    MAX_SENDINGS, Voucher, VoucherCommand, VoucherDeactivated, VoucherDetails, VoucherError, VoucherEvent,
    VoucherIssued, VoucherSendRequested, VoucherSent,
};
use crate::{Actor, Decision, already_applied, executed};

type Answer = Decision<VoucherEvent, VoucherError>;

pub(super) fn decide(voucher: &Voucher, command: &VoucherCommand) -> Answer {
    use Voucher::{Absent, Deactivated, Issued, Sent};
    use VoucherCommand::{DeactivateVoucher, IssueVoucher, RecordSent, RequestSend};
    match (voucher, command) {
        (Absent, IssueVoucher { .. }) => issue(command),
        (Issued(_) | Sent(_) | Deactivated(Some(_)), IssueVoucher { .. }) => already_applied(),
        (Deactivated(None), IssueVoucher { .. }) => Err(VoucherError::DeactivatedBefore),

        (Issued(v) | Sent(v), RequestSend { by }) => request_send(v, by),

        (Issued(v) | Sent(v), RecordSent { sending }) if !(1..=v.sendings).contains(sending) => {
            Err(VoucherError::UnknownSending { sending: *sending })
        }
        (Issued(v), RecordSent { sending }) => {
            executed(VoucherSent { reservation_id: v.reservation_id, sending: *sending })
        }
        // One that arrived once stays sent, however often it is sent again.
        (Sent(_), RecordSent { .. }) => already_applied(),

        // Before it is issued too: the issue may be on its way and must find it out of order.
        (Absent, DeactivateVoucher { voucher_id, reservation_id, customer_id, manager_id }) => {
            executed(VoucherDeactivated {
                voucher_id: *voucher_id,
                reservation_id: *reservation_id,
                customer_id: customer_id.clone(),
                manager_id: manager_id.clone(),
            })
        }
        (Issued(v) | Sent(v), DeactivateVoucher { .. }) => executed(VoucherDeactivated {
            voucher_id: v.voucher_id,
            reservation_id: v.reservation_id,
            customer_id: v.customer_id.clone(),
            manager_id: v.manager_id.clone(),
        }),
        (Deactivated(_), DeactivateVoucher { .. }) => already_applied(),

        (Deactivated(_), RequestSend { .. } | RecordSent { .. }) => Err(VoucherError::Deactivated),
        (Absent, RequestSend { .. } | RecordSent { .. }) => Err(VoucherError::NotFound),
    }
}

fn issue(command: &VoucherCommand) -> Answer {
    let VoucherCommand::IssueVoucher { voucher_id, reservation_id, resort_id, customer_id, manager_id, code } =
        command
    else {
        return Err(VoucherError::NotFound);
    };
    executed(VoucherIssued {
        voucher_id: *voucher_id,
        reservation_id: *reservation_id,
        resort_id: *resort_id,
        customer_id: customer_id.clone(),
        manager_id: manager_id.clone(),
        code: code.clone().ok_or(VoucherError::NoCode)?,
    })
}

fn request_send(voucher: &VoucherDetails, by: &Actor) -> Answer {
    if voucher.sendings >= MAX_SENDINGS {
        return Err(VoucherError::SentOftenEnough);
    }
    executed(VoucherSendRequested {
        voucher_id: voucher.voucher_id,
        reservation_id: voucher.reservation_id,
        customer_id: voucher.customer_id.clone(),
        sending: voucher.sendings + 1,
        by: by.clone(),
    })
}
