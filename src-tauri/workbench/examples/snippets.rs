//! The programs of the playground's code tabs: reads prompts as the window sends them, a line of JSON each, and writes
//! for each a line with the four programs, through the code that writes the tabs.
//!
//! Arguments: the base model behind what is asked, the endpoint, and the folder of the attachments.

use std::io::{BufRead, Write};

use whetstone_cloud::profiles::Endpoints;
use whetstone_cloud::{Cloud, Credentials, Endpoint};
use whetstone_contract::PromptRequest;
use whetstone_workbench::{Attachments, Target, write_code};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let base = arguments.next().ok_or("the id of a base model is needed")?;
    let endpoint = arguments.next().ok_or("the address of an endpoint is needed")?;
    let folder = arguments.next().ok_or("the folder of the attachments is needed")?;
    let attachments = Attachments::new(folder.into());
    let credentials = Credentials::Static { id: "none".into(), secret: "none".into(), session: None };
    let cloud = Cloud::connect(Endpoint { region: "us-east-1".into(), endpoints: Endpoints::default(), credentials })?;
    let target = Target { region: "us-east-1", profile: None, endpoint: Some(&endpoint) };
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let prompt: PromptRequest = serde_json::from_str(&line?)?;
        let code = write_code(&cloud, &prompt, Some(&base), &target, String::new(), &attachments).await?;
        writeln!(out, "{}", serde_json::to_string(&code)?)?;
    }
    Ok(())
}
