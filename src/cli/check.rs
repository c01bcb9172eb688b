//! `nightbell check`: everything that can be known without starting anything.

use std::path::Path;

use super::args::CheckArgs;
use super::failure::{Done, Failure};
use super::print;
use crate::config::Config;
use crate::config::models::choose;
use crate::route::Carriage;
use crate::store::{MasterKey, Reader, StoreError};

pub(super) fn check(args: &CheckArgs) -> Done {
    let config = args.place.load(None, None)?;
    let mut lines = vec![format!("configuration  {}: right", config.file.display())];
    let listen: Vec<String> = config.sip.listen.iter().map(ToString::to_string).collect();
    let trusted: Vec<String> = config.sip.trusted.iter().map(ToString::to_string).collect();
    lines.push(format!("calls          at {}, from {}", listen.join(", "), trusted.join(", ")));
    lines.extend(config.plan.rules.iter().map(|rule| format!("route          {}: {}", rule.told(), rule.action.told())));
    let joins = |trunk: &crate::config::Trunk| if trunk.register { "registers" } else { "by address" };
    lines.extend(
        config.trunks.values().map(|trunk| format!("trunk          {}: {} ({})", trunk.name, trunk.servers.join(", "), joins(trunk))),
    );
    lines.extend(config.people.values().map(|person| format!("person         {} at {}", person.name, person.at)));
    lines.extend(outside(&config));
    print::lines(lines)?;
    print::lines([data(&config.store.data)?])?;
    let chosen = choose(&config).map_err(Failure::usage)?;
    print::lines([format!("models         {}: {}", chosen.pack, chosen.notice)])
}

/// What leaves the house: calls for help first.
fn outside(config: &Config) -> Vec<String> {
    let numbers = config.plan.book.emergency.join(", ");
    let trunks = |names: Vec<&str>| names.join(", ");
    let help: Vec<Carriage> =
        config.plan.book.emergency.first().map(|number| config.dial_plan.emergency_ways(number, None)).unwrap_or_default();
    let mut lines = vec![match help.as_slice() {
        [] => format!("emergency      {numbers}: NOBODY CAN BE CALLED: there is no [trunk.NAME]"),
        ways => format!("emergency      {numbers} by {}", trunks(ways.iter().map(|way| way.trunk.as_str()).collect())),
    }];
    let out: Vec<&str> =
        config.dial_plan.carriers.iter().filter(|carrier| !carrier.serves.is_empty()).map(|carrier| carrier.trunk.as_str()).collect();
    lines.push(if out.is_empty() {
        "calls out      none: no trunk has destinations".to_owned()
    } else {
        format!("calls out      by {}", trunks(out))
    });
    lines.push(match &config.outbound {
        None => "agents         call nobody: there is no [outbound]".to_owned(),
        Some(outbound) => format!(
            "agents         may call: {} a day for each number, {} at once, {} cents a day",
            outbound.rules.attempts_a_day, outbound.rules.calls_at_once, outbound.rules.cents_a_day
        ),
    });
    lines
}

fn data(data: &Path) -> Result<String, Failure> {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY");
    let opened = MasterKey::find(data, credentials.as_deref().map(Path::new)).and_then(|key| Reader::open(data, &key));
    let state = match opened {
        Ok(_) => "right",
        Err(StoreError::Absent(_)) => "no database yet; it is made when the daemon first runs",
        Err(StoreError::KeyMissing(_)) if !data.join("nightbell.db").exists() => "no database yet; it is made when the daemon first runs",
        Err(error) => return Err(Failure::failed(error)),
    };
    Ok(format!("data           {}: {state}", data.display()))
}
