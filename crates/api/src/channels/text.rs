//! What a mail says: plain English, one subject and one sentence for each change.

use domain::{NotifiedChange, Subject};
use sagas::Message;

/// A mail's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// The line in the list of mails.
    pub(super) subject: String,
    /// The text.
    pub(super) body: String,
}

/// The mail for a message to somebody of this name.
pub(super) fn of(message: &Message, name: &str) -> Text {
    let (subject, sentence) = words(message.change);
    let greeting = if name.is_empty() { "Hello,".to_owned() } else { format!("Hello {name},") };
    let mut body = format!("{greeting}\n\n{sentence}\n\n");
    if let Some(voucher) = &message.voucher {
        body += &format!("Voucher code: {}\n", voucher.code.as_str());
    }
    body += &match message.subject {
        Subject::Order(id) => format!("Order: {id}\n"),
        Subject::Reservation(id) => format!("Reservation: {id}\n"),
    };
    if let Some(shop) = &message.shop_id {
        body += &format!("Shop: {}\n", shop.as_str());
    }
    body += "\nThis message was sent automatically.\n";
    Text { subject: subject.to_owned(), body }
}

/// Subject and sentence.
fn words(change: NotifiedChange) -> (&'static str, &'static str) {
    match change {
        NotifiedChange::OrderPlaced => {
            ("We have received your order", "Thank you. Your order is placed and waits for its payment.")
        }
        NotifiedChange::OrderConfirmed => {
            ("Your order is confirmed", "Thank you. Your order is paid and confirmed.")
        }
        NotifiedChange::OrderRejected => (
            "Your order could not be taken",
            "We are sorry: your order could not be taken. You pay nothing for it.",
        ),
        NotifiedChange::OrderCancellationRequested => {
            ("Your order is to be cancelled", "We have received the request to cancel your order.")
        }
        NotifiedChange::OrderCancellationRefused => (
            "Your order could not be cancelled",
            "It was too late to cancel your order. It goes on as before.",
        ),
        NotifiedChange::OrderCancelled => {
            ("Your order is cancelled", "Your order is cancelled. What you paid for it is given back.")
        }
        NotifiedChange::OrderCompleted => ("Your order is complete", "Your order is complete. Thank you."),
        NotifiedChange::PaymentCaptured => {
            ("We have received your payment", "Thank you. Your payment has arrived.")
        }
        NotifiedChange::PaymentDeclined => {
            ("Your payment was declined", "Your payment was declined. No money was taken.")
        }
        NotifiedChange::PaymentExpired => (
            "Your payment did not arrive in time",
            "Your payment was not made in time and is no longer awaited.",
        ),
        NotifiedChange::PaymentVoided => {
            ("Your payment was called off", "Your payment was called off before any money was taken.")
        }
        NotifiedChange::PaymentRefunded => {
            ("We have given your money back", "Money was given back to your payment method.")
        }
        NotifiedChange::DeliveryRequested => {
            ("Your delivery is asked for", "The shop has received the delivery of your order.")
        }
        NotifiedChange::DeliveryAccepted => {
            ("Your delivery is accepted", "The shop has accepted the delivery of your order.")
        }
        NotifiedChange::PreparationStarted => {
            ("Your order is being prepared", "The shop is preparing your order.")
        }
        NotifiedChange::DeliveryShipped => ("Your order is on its way", "Your order has left the shop."),
        NotifiedChange::DeliveryCompleted => ("Your order has arrived", "Your order was delivered."),
        NotifiedChange::DeliveryFailed => {
            ("Your order could not be delivered", "We are sorry: your order could not be delivered.")
        }
        NotifiedChange::DeliveryCancelled => {
            ("Your delivery is called off", "The delivery of your order was called off.")
        }
        NotifiedChange::RefundRequested => {
            ("We have received your request for a refund", "Your request for a refund has arrived.")
        }
        NotifiedChange::RefundAccepted => (
            "Your refund is accepted",
            "Your refund is accepted. You get the money once the shop has the goods back.",
        ),
        NotifiedChange::RefundRefused => {
            ("Your refund is refused", "We are sorry: your refund could not be accepted.")
        }
        NotifiedChange::RefundCompleted => {
            ("Your refund is complete", "The shop has the goods back, and the refund is paid.")
        }
        NotifiedChange::RefundCancelled => {
            ("Your refund is called off", "Your refund was called off. The goods stay with you.")
        }
        NotifiedChange::ReturnStarted => {
            ("Your return has begun", "The goods are on their way back to the shop.")
        }
        NotifiedChange::ReturnReceived => ("Your return has arrived", "The shop has received the goods."),
        NotifiedChange::ReturnCancelled => {
            ("Your return is called off", "The way back of the goods was called off.")
        }
        NotifiedChange::CouponIssued => (
            "You have earned a coupon",
            "Thank you for your order: it has earned you a coupon for a later one.",
        ),
        NotifiedChange::CouponRevoked => (
            "A coupon was taken back",
            "The coupon that an order had earned was taken back, since goods went back.",
        ),
        NotifiedChange::CouponReinstated => {
            ("A coupon is good again", "The coupon that had been taken back is good again.")
        }
        NotifiedChange::ReservationRequested => (
            "We have received your reservation",
            "Your reservation has arrived, and the nights are being checked.",
        ),
        NotifiedChange::ReservationConfirmed => {
            ("Your nights are held", "The nights are held for you. Please pay before the payment is due.")
        }
        NotifiedChange::ReservationRefused => {
            ("Your nights are not free", "We are sorry: the nights that you asked for are not free.")
        }
        NotifiedChange::ReservationPaid => {
            ("Your reservation is paid", "Thank you. Your reservation is paid, and the nights are yours.")
        }
        NotifiedChange::ReservationCancellationRequested => (
            "Your reservation is to be cancelled",
            "We have received the request to cancel your reservation.",
        ),
        NotifiedChange::ReservationCancelled => (
            "Your reservation is cancelled",
            "Your reservation is cancelled. What you paid for it is given back.",
        ),
        NotifiedChange::ReservationExpired => (
            "Your reservation has run out",
            "Your reservation was not paid in time, and the nights are free again.",
        ),
        NotifiedChange::ReservationCompleted => ("Thank you for your stay", "Your stay is over. Thank you."),
        NotifiedChange::VoucherSendRequested => {
            ("Your voucher", "Here is the voucher of your reservation. Please show its code when you arrive.")
        }
        NotifiedChange::VoucherDeactivated => (
            "Your voucher is no longer good",
            "The voucher of your reservation is no longer good. Please throw it away.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::channels::testing::{order_message, voucher_message};

    #[test]
    fn every_change_has_a_subject_of_its_own_and_a_sentence() {
        let subjects: BTreeSet<_> = NotifiedChange::ALL.iter().map(|change| words(*change).0).collect();
        assert_eq!(subjects.len(), NotifiedChange::ALL.len());
        for change in NotifiedChange::ALL {
            let (subject, sentence) = words(change);
            assert!(subject.is_ascii() && subject.len() <= 60, "{subject}");
            assert!(sentence.ends_with('.'), "{sentence}");
        }
    }

    #[test]
    fn a_mail_names_the_person_the_order_and_the_shop() {
        let message = order_message(NotifiedChange::OrderConfirmed);
        let text = of(&message, "Kim Min-ji");
        assert_eq!(text.subject, "Your order is confirmed");
        let wanted = format!(
            "Hello Kim Min-ji,\n\nThank you. Your order is paid and confirmed.\n\nOrder: {}\nShop: books\n\n\
             This message was sent automatically.\n",
            message.subject.uuid()
        );
        assert_eq!(text.body, wanted);
    }

    #[test]
    fn the_voucher_mail_brings_the_code() {
        let message = voucher_message();
        let text = of(&message, "");
        assert!(text.body.starts_with("Hello,\n\nHere is the voucher"), "{}", text.body);
        let code = message.voucher.unwrap().code;
        assert!(text.body.contains(&format!("Voucher code: {}\n", code.as_str())), "{}", text.body);
        assert!(text.body.contains("Reservation: ") && !text.body.contains("Shop: "), "{}", text.body);
    }
}
