//! Lists that are written and read again, and bytes that are no list.

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
            let instance = resource.instances.first();
            let content = instance.and_then(|instance| instance.content_id.as_deref());
            (resource.name.as_deref(), instance.map(|i| i.state), content)
        })
        .collect();
    assert_eq!(
        told,
        [
            (Some("Anna & co"), Some(InstanceState::Active), Some("1@x")),
            (None, Some(InstanceState::Terminated), None),
            (None, None, None)
        ]
    );
}

#[test]
fn a_document_that_is_no_list_is_refused() {
    for text in [
        "",
        "<lists/>",
        "<list xmlns=\"urn:ietf:params:xml:ns:resource-lists\"/>",
        "<!DOCTYPE list [<!ENTITY a \"b\">]><list uri=\"&a;\"/>",
    ] {
        assert!(ResourceList::parse(text.as_bytes()).is_err(), "{text}");
    }
}

/// A6: everything readable counts.
#[test]
fn one_ugly_detail_does_not_lose_the_other_lines() {
    let read = |text: &str| ResourceList::parse(text.as_bytes()).unwrap();
    let names = |list: &ResourceList| -> Vec<String> {
        let names = list.resources.iter().map(|r| r.name.clone());
        names.map(Option::unwrap_or_default).collect()
    };
    let of = |inner: &str| {
        format!("<list xmlns=\"urn:ietf:params:xml:ns:rlmi\" fullState=\"true\">{inner}</list>")
    };
    let list = read(&of(
        "<resource uri=\"sip:1@x\"><name>Meyer & Co</name></resource><resource><name>M&uuml;ller &nbsp; A&B;</name></resource>",
    ));
    assert_eq!(names(&list), ["Meyer & Co", "M&uuml;ller &nbsp; A&B;"]);
    assert!(list.full && list.remarks.is_empty());
    let list = read(&format!(
        "{}<list/>",
        of("<resource><name>a</resource><resource/>")
    ));
    assert_eq!((list.resources.len(), list.full), (2, true));
    assert_eq!(
        list.remarks.to_string(),
        "start and end tags do not match; content after its end was ignored"
    );
    // A list that is cut off does not report that other lines are gone.
    let whole = of("<resource uri=\"sip:1@x\"/><resource uri=\"sip:2@x\"/>");
    let list = read(&whole[..whole.len() - 9]);
    assert_eq!((list.resources.len(), list.full), (1, false));
    let list = read(&of(&"<resource/>".repeat(RESOURCES_MAX + 1)));
    assert_eq!((list.resources.len(), list.full), (RESOURCES_MAX, false));
    // A12: by namespace.
    let list = read(
        "<l:list xmlns:l=\"urn:ietf:params:xml:ns:rlmi\"><resource xmlns=\"urn:ietf:params:xml:ns:rlmi\" uri=\"a\"/><x:resource xmlns:x=\"urn:x\"/><y:resource uri=\"b\"/></l:list>",
    );
    let uris: Vec<&str> = list.resources.iter().map(|r| &*r.uri).collect();
    assert_eq!(uris, ["a", "b"]);
    assert_eq!(list.remarks.iter().count(), 2, "{}", list.remarks);
}

/// A13: one resource at two servers.
#[test]
fn all_instances_of_a_resource_are_read() {
    let list = ResourceList::parse(b"<list><resource uri='sip:1@x'><instance id='a' state='active' cid='1'/><instance id='b' state='pending'/><instance id='c' state='terminated' reason='giveup'/></resource></list>").unwrap();
    let states: Vec<_> = list.resources[0]
        .instances
        .iter()
        .map(|i| i.state)
        .collect();
    assert_eq!(
        states,
        [
            InstanceState::Active,
            InstanceState::Pending,
            InstanceState::Terminated
        ]
    );
    let many = format!(
        "<list><resource>{}</resource></list>",
        "<instance/>".repeat(INSTANCES_MAX + 1)
    );
    let list = ResourceList::parse(many.as_bytes()).unwrap();
    assert_eq!(
        (list.resources[0].instances.len(), list.remarks.is_empty()),
        (INSTANCES_MAX, false)
    );
}

proptest! {
    #[test]
    fn a_written_document_is_read_back(
        uri in "[a-z:@.&<\"]{0,20}",
        version in any::<u32>(),
        full in any::<bool>(),
        resources in prop::collection::vec(
            ("[a-z:@.&<']{1,20}", prop::option::of("[a-z&<]{1,20}"), prop::collection::vec(("[a-z]{1,9}", any::<bool>(), prop::option::of("[a-z@]{1,9}")), 0..3)),
            0..5,
        ),
    ) {
        let resources = resources.into_iter().map(|(uri, name, instances)| ListedResource {
            uri,
            name,
            instances: instances.into_iter().map(|(id, active, content_id)| Instance {
                id,
                state: if active { InstanceState::Active } else { InstanceState::Terminated },
                reason: (!active).then(|| "noresource".into()),
                content_id,
            }).collect(),
        });
        let list = ResourceList { uri, version, full, resources: resources.collect(), ..ResourceList::default() };
        prop_assert_eq!(ResourceList::parse(list.to_xml().as_bytes()).unwrap(), list);
    }
}
