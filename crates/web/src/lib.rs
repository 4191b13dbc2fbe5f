//! The web application: pages rendered on the server, their texts, scripts and styles.

pub mod assets;
pub mod board;
mod collation;
pub mod demo;
pub mod layout;
pub mod my_account;
mod own_status;
pub mod own_status_menu;
pub mod pages;
mod search;
pub mod sign_in_page;
mod status_line;
mod texts;
mod viewer_groups;
pub mod web_state;
