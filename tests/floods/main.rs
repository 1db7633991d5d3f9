//! An API, or a proxy before it, that sends more than a program should read: pages without
//! end, and answers that are large. What is read has bounds, counts, and is told of.

mod endless_pages;
mod large_pages;
