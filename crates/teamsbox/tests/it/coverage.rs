//! Checks that every row and every rule of the conformance vectors about the service has a test here.

use std::{collections::BTreeSet, path::Path};

/// Rows for clients of Graph: parsing, deduplication, validation, attribution.
const CLIENT_ROWS: [u32; 15] = [
    51, 72, 73, 76, 77, 78, 81, 82, 83, 84, 91, 103, 104, 105, 106,
];

/// The rules of the conformance vectors, and the tests that assert them.
const RULES: [(u32, &[&str]); 62] = [
    (
        1,
        &[
            "a_token_carries_the_claims",
            "rule_1_assertions_in_rs256_with_either_thumbprint",
            "row_096_the_assertion_of_the_vectors_is_accepted",
            "row_097_a_device_waits_for_its_user",
            "row_098_a_code_is_bound_to_its_verifier",
            "row_099_an_old_refresh_token_works_until_it_is_revoked",
            "row_100_passwords_are_refused_where_entra_refuses_them",
        ],
    ),
    (2, &["rule_2_discovery_keys_and_rotation"]),
    (
        3,
        &[
            "a_token_carries_the_claims",
            "row_099_an_old_refresh_token_works_until_it_is_revoked",
        ],
    ),
    (
        4,
        &[
            "row_095_a_wrong_secret_is_refused",
            "other_requests_are_refused_in_the_envelope",
            "row_097_a_device_waits_for_its_user",
            "rule_4_a_device_is_declined_or_too_late",
        ],
    ),
    (
        5,
        &["row_100_passwords_are_refused_where_entra_refuses_them"],
    ),
    (
        6,
        &[
            "without_a_good_token_graph_stays_shut",
            "rule_6_calls_without_a_token_are_identified_too",
            "rules_6_and_7_every_reply_is_identified_and_dated",
        ],
    ),
    (7, &["rules_6_and_7_every_reply_is_identified_and_dated"]),
    (
        8,
        &[
            "rule_8_all_addresses_show_the_same",
            "row_047_me_needs_a_person",
        ],
    ),
    (
        9,
        &[
            "row_048_presence_takes_no_principal_names",
            "rule_9_the_directory_takes_principal_names",
        ],
    ),
    (
        10,
        &[
            "rule_10_a_user_reads_others_with_the_greater_scope_only",
            "roles_decide_what_an_application_may_do",
        ],
    ),
    (
        11,
        &[
            "row_049_a_bulk_read_takes_650_ids",
            "rule_11_unknown_ids_of_bulk_reads_and_other_knobs",
        ],
    ),
    (
        12,
        &[
            "row_050_the_stamp_grows_with_each_visible_change_only",
            "rule_12_identical_writes_move_the_stamp_when_told_to",
        ],
    ),
    (
        13,
        &[
            "row_045_the_times_of_a_status_are_the_own_business",
            "rule_13_applications_do_not_see_the_times_of_a_status",
        ],
    ),
    (14, &["rule_14_the_later_list_is_spelled_differently"]),
    (
        15,
        &[
            "row_006_sending_again_restarts_the_fade",
            "rule_15_sending_again_replaces_the_session_and_restarts_its_expiry",
            "rule_15_a_session_belongs_to_a_person_and_an_id",
        ],
    ),
    (16, &["rules_16_and_29_exactly_eleven_pairs_can_be_written"]),
    (
        17,
        &["row_020_a_missing_session_id_is_noticed_before_permissions"],
    ),
    (
        18,
        &[
            "rule_18_foreign_session_ids_are_accepted_unless_told_otherwise",
            "rule_18_a_foreign_session_id_is_warned_about_in_the_log",
        ],
    ),
    (
        19,
        &[
            "row_007_without_duration_it_is_five_minutes",
            "row_016_duration_out_of_range_says_so",
            "row_017_durations_in_range",
            "row_018_duration_a_second_too_long",
            "row_019_durations_that_are_none",
        ],
    ),
    (
        20,
        &[
            "row_003_available_fades_to_idle",
            "row_004_available_fades_to_away",
            "rule_20_a_call_and_away_never_fade",
        ],
    ),
    (21, &["rule_21_expiry_comes_even_in_the_middle_of_the_fade"]),
    (
        22,
        &[
            "row_001_nobody_signed_in_is_offline",
            "row_024_away_does_not_hide_a_client",
            "row_027_a_call_hides_an_idle_client",
            "row_028_presenting_hides_a_call",
            "row_033_preferred_goes_with_the_session",
            "row_034_preferred_hides_a_call",
            "nothing_beats_the_aggregate",
        ],
    ),
    (
        23,
        &[
            "rule_23_tie_the_latest_change_wins",
            "rule_23_calendars_come_last_among_equals",
            "rule_11_unknown_ids_of_bulk_reads_and_other_knobs",
        ],
    ),
    (
        24,
        &[
            "row_021_clearing_the_only_session",
            "row_022_clearing_twice",
            "row_023_clearing_what_has_expired",
        ],
    ),
    (
        25,
        &[
            "row_030_another_app_remains",
            "rule_25_each_application_has_a_session_with_its_own_end",
        ],
    ),
    (
        26,
        &[
            "rule_26_clients_act_and_leave",
            "knob_sign_out_grace_is_how_long_a_client_stays",
        ],
    ),
    (
        27,
        &[
            "rule_27_calendars_show_with_a_session_only",
            "row_043_out_of_office_decorates_available",
            "rule_11_unknown_ids_of_bulk_reads_and_other_knobs",
        ],
    ),
    (28, &["row_044_a_call_while_out_of_office"]),
    (
        29,
        &[
            "rules_16_and_29_exactly_eleven_pairs_can_be_written",
            "rule_29_each_preferred_pair_has_its_own_default",
        ],
    ),
    (
        30,
        &[
            "row_031_preferred_waits_for_a_session",
            "row_032_preferred_shows_with_a_session",
            "row_038_preferred_with_a_duration",
            "rule_30_the_last_writer_of_the_slot_wins",
        ],
    ),
    (
        31,
        &[
            "row_042_clearing_preferred_shows_the_sessions",
            "row_014_and_others_behave_as_their_knobs_say",
        ],
    ),
    (32, &["row_039_appearing_offline"]),
    (
        33,
        &[
            "rule_33_a_status_expires_and_is_cleared",
            "row_046_nobody_writes_the_status_of_another",
            "row_068_the_same_again_is_no_news",
        ],
    ),
    (34, &["rule_34_teams_itself_shows_changes_late"]),
    (35, &["row_052_applications_may_not_subscribe"]),
    (
        36,
        &[
            "rule_36_the_documented_forms_are_read",
            "rule_36_anything_else_is_refused",
            "row_063_filters_have_at_most_650_quoted_ids",
        ],
    ),
    (37, &["rules_37_to_39_other_properties_are_checked"]),
    (
        38,
        &[
            "rules_37_to_39_other_properties_are_checked",
            "row_064_resource_data_needs_a_certificate",
            "row_065_a_small_key_is_refused",
            "rule_38_a_key_is_rsa_of_at_most_4096_bits",
        ],
    ),
    (
        39,
        &[
            "rules_37_to_39_other_properties_are_checked",
            "row_061_two_hours_are_too_long",
            "row_062_ten_minutes_are_raised_to_45",
        ],
    ),
    (
        40,
        &[
            "row_054_two_handshakes_even_for_one_address",
            "row_055_a_token_sent_back_raw_is_refused",
            "row_056_the_token_is_form_encoded",
            "row_057_a_handshake_has_ten_seconds",
            "row_058_a_handshake_answered_403_is_refused",
            "rule_40_html_is_no_answer_to_a_handshake",
        ],
    ),
    (
        41,
        &[
            "row_059_one_subscription_per_application_and_user",
            "row_060_another_user_may_subscribe_too",
        ],
    ),
    (
        42,
        &[
            "row_066_a_subscription_is_extended_vouched_for_and_ended",
            "rule_42_an_extension_may_bring_another_certificate",
        ],
    ),
    (43, &["rule_43_a_subscription_ends_without_a_word"]),
    (
        44,
        &["row_066_a_subscription_is_extended_vouched_for_and_ended"],
    ),
    (
        45,
        &[
            "rule_45_time_changes_presence_too",
            "row_068_the_same_again_is_no_news",
        ],
    ),
    (46, &["row_067_the_own_write_comes_back_like_any_other"]),
    (
        47,
        &[
            "rule_47_notifications_may_come_twice_and_out_of_order",
            "rule_47_latencies_have_their_mean_and_their_cap",
        ],
    ),
    (
        48,
        &[
            "row_067_the_own_write_comes_back_like_any_other",
            "rule_48_items_share_a_request_and_a_token",
        ],
    ),
    (49, &["row_071_and_rule_49_all_shapes_come_in_turn"]),
    (
        50,
        &[
            "rules_50_and_51_rich_items_can_be_decrypted_and_vouched_for",
            "row_080_the_thumbprints_of_the_vector_certificate",
        ],
    ),
    (
        51,
        &[
            "rules_50_and_51_rich_items_can_be_decrypted_and_vouched_for",
            "rule_48_items_share_a_request_and_a_token",
        ],
    ),
    (
        52,
        &[
            "row_085_a_failure_is_repeated",
            "row_086_a_late_answer_counts_as_none",
            "rule_52_failures_are_repeated_with_growing_pauses_for_four_hours",
        ],
    ),
    (
        53,
        &[
            "row_087_a_slow_address_gets_everything_late",
            "row_088_a_very_slow_address_loses_notifications",
        ],
    ),
    (
        54,
        &["row_089_and_rule_54_an_unanswered_question_pauses_delivery"],
    ),
    (55, &["rule_55_chaos_can_be_switched_on"]),
    (
        56,
        &[
            "row_090_one_call_too_many_has_to_wait",
            "rule_56_retry_after_has_three_forms",
            "who_hammers_stays_out",
        ],
    ),
    (
        57,
        &[
            "rule_57_subscriptions_have_buckets_of_their_own",
            "rule_57_five_hundred_calls_about_subscriptions_in_twenty_seconds",
            "knob_subscription_list_limit_is_how_many_lists_there_are",
        ],
    ),
    (
        58,
        &[
            "row_092_one_of_twenty_is_throttled",
            "row_093_malformed_batches_are_refused",
            "row_094_what_depends_on_a_failure_fails",
            "rule_58_answers_of_a_batch_come_in_another_order",
        ],
    ),
    (
        59,
        &[
            "rule_59_people_are_listed_in_pages",
            "rule_59_a_delta_tells_what_changed",
            "row_101_an_old_delta_link_is_gone",
            "row_102_whoever_leaves_is_reported_as_removed",
        ],
    ),
    (
        60,
        &[
            "rule_60_national_clouds_have_less",
            "rule_60_neither_government_cloud_notifies",
        ],
    ),
    (61, &["rule_61_presence_alone_fails_now_and_then"]),
    (
        62,
        &[
            "the_journal_tells_why",
            "rule_62_the_journal_has_every_request",
            "rule_62_graph_does_not_tell_who_caused_what",
        ],
    ),
];

/// The names of the tests in a source: functions under `#[test]`, `#[tokio::test]` or in `proptest!`, and the entries
/// of `rows!`. Names in comments and texts, such as the table above, do not count.
fn tests_in(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut marked = false;
    for line in text.lines().map(str::trim_start) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            marked = true;
        } else if let Some((_, rest)) = line.split_once("fn ") {
            if std::mem::take(&mut marked) {
                let name: String = rest.chars().take_while(|one| *one != '(').collect();
                names.insert(name);
            }
        } else if let Some((name, _)) = line.split_once(": [")
            && (name.starts_with("row_") || name.starts_with("rule_"))
        {
            names.insert(name.to_owned());
        }
    }
    names
}

fn read(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, names);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            names.extend(tests_in(&std::fs::read_to_string(path).unwrap()));
        }
    }
}

fn all_tests() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = BTreeSet::new();
    read(&root.join("src"), &mut names);
    read(&root.join("tests"), &mut names);
    names
}

/// The rows in the name of a test: `row_085_…`, `row_069_and_070_…`.
fn rows_of(name: &str) -> impl Iterator<Item = u32> {
    name.strip_prefix("row_")
        .into_iter()
        .flat_map(|rest| rest.split('_').filter(|part| part.len() == 3))
        .filter_map(|part| part.parse().ok())
}

#[test]
fn every_row_of_the_service_has_a_test() {
    let rows: BTreeSet<u32> = all_tests().iter().flat_map(|name| rows_of(name)).collect();
    let missing: Vec<_> = (1..=102)
        .filter(|row| !rows.contains(row) && !CLIENT_ROWS.contains(row))
        .collect();
    assert!(
        missing.is_empty(),
        "no test is named after these rows: {missing:?}"
    );
}

#[test]
fn every_rule_names_tests_that_exist() {
    let numbers: Vec<u32> = RULES.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=62).collect::<Vec<_>>());
    let tests = all_tests();
    for (number, names) in RULES {
        assert!(!names.is_empty(), "rule {number}");
        let missing: Vec<_> = names
            .iter()
            .filter(|name| !tests.contains(**name))
            .collect();
        assert!(
            missing.is_empty(),
            "rule {number} names tests that do not exist: {missing:?}"
        );
    }
}

#[test]
fn only_tests_count_as_tests() {
    let text = "// row_001_in_a_comment: [\n#[test]\nfn row_002_a_test() {\n    \"fn row_003_a_text\"\n}\n\
        fn row_004_a_helper() {}\nrows! {\n    row_005_steps: [Reads(X)];\n}\n";
    let names: Vec<_> = tests_in(text).into_iter().collect();
    assert_eq!(names, ["row_002_a_test", "row_005_steps"]);
}
