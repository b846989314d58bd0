//! From an order log to one row per customer.
