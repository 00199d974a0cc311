//! A round: build, load, publish, run the cases and the recorded requests, wait for the swap.

use std::time::{Duration, Instant};

use pointsman_author::build;
use pointsman_author::case::{Case, folder};
use pointsman_author::subject::{LoadOptions, PolicyFile, Sandbox, Subject, not_loadable};
use pointsman_author::verb::test::{CaseResult, run_cases};
use pointsman_terminal::CommandError;
use tokio::runtime::Runtime;

use crate::configuration::Served;
use crate::gateway::{LocalGateway, Swap};
use crate::recorded::{Comparison, Records, compare};
use crate::report::{Reporter, Round, Times};
use crate::{Args, DevTools};

/// The rounds of a session.
pub(crate) struct Rounds<'a> {
    args: &'a Args,
    tools: &'a DevTools,
    served: &'a Served,
    sandbox: &'a Sandbox,
    executor: &'a Runtime,
    reporter: Reporter,
    gateway: Option<LocalGateway>,
    /// Version that the gateway serves.
    current: Option<PolicyFile>,
}

impl<'a> Rounds<'a> {
    pub(crate) fn new(
        args: &'a Args,
        tools: &'a DevTools,
        served: &'a Served,
        sandbox: &'a Sandbox,
        executor: &'a Runtime,
    ) -> Self {
        let reporter = Reporter::new(args.json, args.no_colour);
        Self { args, tools, served, sandbox, executor, reporter, gateway: None, current: None }
    }

    /// Runs a round. A policy that does not build or load is reported, and the version before keeps serving.
    ///
    /// # Errors
    /// Fails if the gateway does not start or has ended.
    pub(crate) fn run_one(&mut self) -> Result<(), CommandError> {
        let begun = Instant::now();
        match self.built() {
            Ok(file) => self.run(file, begun, begun.elapsed())?,
            Err(error) => self.reporter.failed(&error)?,
        }
        self.reporter.waiting()
    }

    /// Completes when the gateway has ended.
    pub(crate) async fn gateway_ended(&mut self) -> CommandError {
        match &mut self.gateway {
            Some(gateway) => gateway.ended().await,
            None => std::future::pending().await,
        }
    }

    fn built(&self) -> Result<PolicyFile, CommandError> {
        let built = build::folder(&self.served.folder)?;
        pointsman_author::verb::build::checked(&built, &self.tools.toolbox)
    }

    fn run(&mut self, file: PolicyFile, begun: Instant, build: Duration) -> Result<(), CommandError> {
        let is_new = self.current.as_ref().is_none_or(|current| current.code.digest() != file.code.digest());
        let at = Instant::now();
        if let Err(error) = self.load(&file) {
            return self.reporter.failed(&error);
        }
        let load = at.elapsed();
        if is_new {
            self.served.publish(&file, self.tools)?;
        }
        if self.gateway.is_none() {
            self.start()?;
        }
        let cases = self.run_cases(&file);
        let recorded = match &self.current {
            Some(before) if is_new => self.compare(before, &file)?,
            _ => Comparison::default(),
        };
        let swap = match &mut self.gateway {
            Some(gateway) => {
                gateway.wait_for(self.executor, &self.served.name, &file.code.digest().to_string())?
            }
            None => Swap::Serving,
        };
        let times = Times { build, load, serving: begun.elapsed() };
        let before = self.current.as_ref().map(|it| it.code.digest().short().to_string());
        let round = Round {
            file: &file,
            before: before.as_deref(),
            is_new,
            times,
            cases: &cases,
            recorded: &recorded,
            swap: &swap,
        };
        self.reporter.round(&round)?;
        if matches!(swap, Swap::Serving) {
            self.current = Some(file);
        }
        Ok(())
    }

    /// Loads the policy with the limits of its cases, which the local gateway has too.
    fn load(&self, file: &PolicyFile) -> Result<(), CommandError> {
        let case = Case { settings: Some(self.served.settings.clone()), ..Case::default() };
        let options = LoadOptions::of_case(&case);
        let mut subject = Subject::new(self.sandbox, file);
        subject.load(&options).map(drop).map_err(|error| not_loadable(&file.source, &error))
    }

    fn start(&mut self) -> Result<(), CommandError> {
        let gateway = LocalGateway::start(
            &self.tools.program,
            &self.served.config,
            self.args.listen,
            self.args.admin_listen,
        )?;
        self.reporter.listening(&gateway, &self.served.name)?;
        self.gateway = Some(gateway);
        Ok(())
    }

    /// Runs the cases of the folder, which are read anew. A folder without cases has no results.
    fn run_cases(&self, file: &PolicyFile) -> Result<Vec<CaseResult>, CommandError> {
        let path = self.served.folder.join("cases");
        if !path.exists() {
            return Ok(Vec::new());
        }
        let cases = folder::load(&path).map_err(|error| CommandError::Input(error.to_string()))?;
        run_cases(self.sandbox, file, &cases)
    }

    fn compare(&self, before: &PolicyFile, after: &PolicyFile) -> Result<Comparison, CommandError> {
        let Some(log) = &self.served.decisions else { return Ok(Comparison::default()) };
        let records = Records {
            log,
            most: self.args.recorded,
            policy: &self.served.name,
            settings: &self.served.settings,
        };
        compare(self.sandbox, before, after, &records)
    }
}
