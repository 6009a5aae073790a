//! The notice (通报) of an inspection as it is printed: as it was issued, however often it is printed and whatever day was set
//! since.

use std::fmt::Write;

use time::Date;

use crate::http::html::{Page, escaped};
use crate::local_time::local_day;
use crate::store::supervision::inspection::Read;
use crate::supervision::rule::Rules;

/// None when no notice was issued.
pub(super) fn printed(read: &Read, rules: &Rules, today: Date) -> Option<Page> {
    let taken = |step: &str| read.steps.iter().find(|taken| taken.step == step);
    let (recorded, issued) = (taken("record")?, taken("issue")?);
    let inspection = &read.inspection;
    let date = |day: Date| format!("{}年{}月{}日", day.year(), u8::from(day.month()), day.day());
    let mut page = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        page,
        "<h1>关于{}的检查通报</h1><p>{}：</p><p>我局于{}对你处进行了检查（{}）。检查发现以下问题：</p><ol>",
        escaped(&inspection.subject),
        escaped(&inspection.office_name),
        date(local_day(recorded.taken_at)),
        escaped(&inspection.subject),
    );
    for item in &read.items {
        let _ = write!(page, "<li>{}</li>", escaped(item));
    }
    page.push_str("</ol>");
    if !read.findings.is_empty() {
        page.push_str("<p>经监督规则比对，另有以下问题：</p><ol>");
    }
    for finding in &read.findings {
        let rule = rules.rule(&finding.rule_id);
        let title = rule.map_or(finding.rule_id.as_str(), |rule| &rule.title);
        let article = rule.map_or("", |rule| &rule.article);
        let (about, key) = (finding.about.key_zh(), escaped(&finding.about_key));
        let _ = write!(
            page,
            "<li>{}（{about} {key}）<br><small>依据：{}</small></li>",
            escaped(title),
            escaped(article)
        );
    }
    if !read.findings.is_empty() {
        page.push_str("</ol>");
    }
    let due_on = issued.due_on.map_or_else(String::new, date);
    let _ = write!(
        page,
        "<p>{}</p><p>请于{due_on}前完成整改，并将整改情况在平台报送。我局将跟踪问效。</p>\
         <p class=\"end\">市司法局<br>{}</p><p><small>本件打印于{}</small></p>",
        escaped(&issued.reason),
        date(local_day(issued.taken_at)),
        date(today),
    );
    Some(Page::new("检查通报", &page))
}
