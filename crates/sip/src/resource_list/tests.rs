//! Lists that are written and read again, and such as are none.

use proptest::prelude::*;

use super::*;

#[test]
fn names_and_states_are_read_and_others_are_passed_over() {
    let text = r#"<?xml version="1.0"?>
        <l:list xmlns:l="urn:ietf:params:xml:ns:rlmi" uri="sip:blf@x" version="3" fullState="true">
          <l:name>all</l:name>
          <l:resource uri="sip:1001@x"><l:name>Anna &amp; co</l:name>
            <l:instance id="a" state="active" cid="1@x"/></l:resource>
          <l:resource uri="sip:1002@x"><l:instance id="b" state="Terminated" reason="noresource"/></l:resource>
          <l:resource uri="sip:1003@x"/>
        </l:list>"#;
    let list = ResourceList::parse(text.as_bytes()).unwrap();
    assert_eq!(
        (&*list.uri, list.version, list.full),
        ("sip:blf@x", 3, true)
    );
    let told: Vec<_> = list
        .resources
        .iter()
        .map(|resource| {
            let instance = resource.instance.as_ref();
            let content = instance.and_then(|instance| instance.content_id.as_deref());
            (
                resource.name.as_deref(),
                instance.map(|i| i.active),
                content,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (Some("Anna & co"), Some(true), Some("1@x")),
            (None, Some(false), None),
            (None, None, None)
        ]
    );
}

#[test]
fn what_is_no_list_is_refused() {
    for text in [
        "",
        "<lists/>",
        "<list>",
        "<!DOCTYPE list [<!ENTITY a \"b\">]><list uri=\"&a;\"/>",
        "<list/><list/>",
    ] {
        assert!(ResourceList::parse(text.as_bytes()).is_err(), "{text}");
    }
    let many = format!("<list>{}</list>", "<resource/>".repeat(RESOURCES_MAX + 1));
    assert_eq!(
        ResourceList::parse(many.as_bytes()),
        Err(ListError::TooMany)
    );
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        uri in "[a-z:@.&<\"]{0,20}",
        version in any::<u32>(),
        full in any::<bool>(),
        resources in prop::collection::vec(
            ("[a-z:@.&<']{1,20}", prop::option::of("[a-z&<]{1,20}"), prop::option::of(("[a-z]{1,9}", any::<bool>(), prop::option::of("[a-z@]{1,9}")))),
            0..5,
        ),
    ) {
        let resources = resources.into_iter().map(|(uri, name, instance)| ListedResource {
            uri,
            name,
            instance: instance.map(|(id, active, content_id)| Instance { id, active, content_id }),
        });
        let list = ResourceList { uri, version, full, resources: resources.collect() };
        prop_assert_eq!(ResourceList::parse(list.to_xml().as_bytes()).unwrap(), list);
    }
}
