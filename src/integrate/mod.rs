//! Other systems: calendar, CRM, notifications. Empty so far: bookings and obligations are in our own store.
