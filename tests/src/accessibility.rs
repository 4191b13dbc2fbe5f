//! Checks of an open page for everybody: axe-core in light and dark, narrow screens and large letters, and the keyboard.

use serde_json::{Value, json};
use thirtyfour::{Key, error::WebDriverResult};

use crate::Walker;

/// Widths of the page, in CSS pixels: a window of 1280 pixels at a zoom of 200 %, a phone, and the least that WCAG 2.2
/// (criterion 1.4.10) asks for.
const WIDTHS: [u32; 3] = [640, 390, 320];

/// Marks the controls that Tab has to reach in their order, and describes them.
const CONTROLS: &str = r#"
    const wanted = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
    const isReached = (found) => found.tabIndex >= 0 && !found.disabled && found.checkVisibility({visibilityProperty: true})
        // Of the radio buttons of a group, Tab reaches the chosen one; the arrows lead to the others.
        && (found.type !== "radio" || found.checked
            || !found.form.querySelector(`[type=radio][name="${CSS.escape(found.name)}"]:checked`));
    window.controls = Array.from(document.querySelectorAll(wanted)).filter(isReached);
    document.activeElement.blur();
    getSelection().removeAllRanges();
    return window.controls.map((found) => found.outerHTML.slice(0, 120));
"#;

/// The number of the control with the focus, and whether one sees that it has it; null if none of them has it.
const FOCUS: &str = r#"
    const found = document.activeElement;
    const style = getComputedStyle(found);
    const number = window.controls.indexOf(found);
    const isSeen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
    const box = found.getBoundingClientRect();
    const isOnScreen = box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
    return number < 0 ? null : [number, isSeen && isOnScreen];
"#;

impl Walker {
    /// Checks the open page: axe-core finds no problem in light and dark, and nothing scrolls sideways on a phone or at a
    /// zoom of 200 %.
    ///
    /// # Errors
    /// The driver refuses.
    ///
    /// # Panics
    /// A check fails.
    pub async fn is_accessible(&self, what: &str) -> WebDriverResult<()> {
        let page = &self.browser.page;
        let tools = page.cdp();
        page.execute(self.axe.as_str(), Vec::new()).await?;
        for scheme in ["dark", "light"] {
            let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
            tools
                .send_raw("Emulation.setEmulatedMedia", features)
                .await?;
            let script = "const done = arguments[arguments.length - 1];\
                axe.run(document, {resultTypes: ['violations']}).then(found => done(found.violations.map(\
                    rule => `${rule.id}: ${rule.nodes.map(node => node.html.slice(0, 200)).join(' | ')}`)))";
            let found = page.execute_async(script, Vec::new()).await?;
            let found: Vec<String> = found.convert()?;
            assert!(found.is_empty(), "{what}, {scheme}: {found:#?}");
        }
        for width in WIDTHS {
            let screen =
                json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false});
            tools
                .send_raw("Emulation.setDeviceMetricsOverride", screen)
                .await?;
            let wide = r#"
                const screen = document.scrollingElement;
                const over = screen.scrollWidth - screen.clientWidth;
                const isOver = (found) => found.getBoundingClientRect().right > screen.clientWidth + 1 && found.checkVisibility();
                const which = Array.from(document.querySelectorAll("body *")).filter(isOver);
                return over <= 0 ? [] : [over, ...which.slice(0, 3).map((found) => found.outerHTML.slice(0, 160))];
            "#;
            let wide = self.script(wide).await;
            assert_eq!(wide, json!([]), "{what} is wider than {width} pixels");
        }
        tools
            .send_raw("Emulation.clearDeviceMetricsOverride", json!({}))
            .await?;
        Ok(())
    }

    /// Checks that Tab reaches every control of the open page in its order, and that one sees where one is.
    ///
    /// # Errors
    /// The driver refuses.
    ///
    /// # Panics
    /// A control is left out, comes out of order, or does not show its focus.
    pub async fn is_for_keyboards(&self, what: &str) -> WebDriverResult<()> {
        let controls = self.script(CONTROLS).await;
        let controls = controls.as_array().cloned().unwrap_or_default();
        let name = |number: u64| controls.get(usize::try_from(number).unwrap());
        let mut reached: Vec<u64> = Vec::new();
        // Fields for dates stop at each of their parts.
        for _ in 0..controls.len() * 6 + 1 {
            let tab = self.browser.page.action_chain().send_keys(Key::Tab);
            tab.perform().await?;
            let focus = self.script(FOCUS).await;
            let (Some(number), Value::Bool(is_seen)) = (focus[0].as_u64(), &focus[1]) else {
                break;
            };
            let last = reached.last().copied();
            if last == Some(number) {
                continue;
            }
            if number == 0 && last.is_some() {
                break;
            }
            assert!(*is_seen, "{what}: no focus to see: {:?}", name(number));
            assert!(
                last.is_none_or(|last| last < number),
                "{what}: out of order: {:?}",
                name(number)
            );
            reached.push(number);
        }
        let missed = (0..controls.len() as u64).filter(|number| !reached.contains(number));
        let missed: Vec<_> = missed.map(name).collect();
        assert!(missed.is_empty(), "{what}: Tab leaves out {missed:#?}");
        Ok(())
    }
}
