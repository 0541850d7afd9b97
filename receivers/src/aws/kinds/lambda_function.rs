//! Lambda functions.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::call::Pager;
use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::fields::{arn, each, text};
use crate::aws::found::{Answers, Found, take};
use crate::aws::kind::{About, Kind, Only};
use crate::aws::place::Place;
use crate::aws::service::Service;

/// What the list leaves out, and the answer about one function says.
const UNLISTED: [&str; 7] = [
    "State",
    "StateReason",
    "StateReasonCode",
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
    "RuntimeVersionConfig",
];

pub(super) struct Function;

#[async_trait]
impl Kind for Function {
    fn about(&self) -> About {
        About::regional("AWS::Lambda::Function", Service::LAMBDA, "function:*")
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        if let Some(uid) = only.uid() {
            let request = at.lambda.get_function_configuration().function_name(uid);
            let answer = at.call(Service::LAMBDA, "GetFunctionConfiguration", |capture| {
                request.customize().interceptor(capture).send()
            });
            let function = answer.await?;
            if text(&function["FunctionArn"]).is_none() {
                let call = at.named(Service::LAMBDA, "GetFunctionConfiguration");
                return Err(Failure::malformed(call, "it has no FunctionArn"));
            }
            return page(at, found, vec![function]).await;
        }
        let mut pages = Pager::new(Service::LAMBDA, "ListFunctions", "Functions");
        while let Some(token) = pages.next() {
            let request = at.lambda.list_functions().max_items(50).set_marker(token);
            let answer = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            page(at, found, answer.await?).await?;
        }
        Ok(())
    }

    fn draft(&self, item: &Json, at: &Place) -> Option<Draft> {
        let name = &item["FunctionName"];
        let mut function = Draft::new(arn(&item["FunctionArn"])?, item);
        function.without(&UNLISTED);
        function.redact("/Environment/Variables");
        function.id(name);
        function.name(name);
        function.edge(kind::ASSUMES, arn(&item["Role"]));
        let network = &item["VpcConfig"];
        for group in each(&network["SecurityGroupIds"]) {
            function.edge(kind::SECURED_BY, at.ec2_arn("security-group/", group));
        }
        for subnet in each(&network["SubnetIds"]) {
            function.edge(kind::PART_OF, at.ec2_arn("subnet/", subnet));
        }
        function.edge(
            kind::ENCRYPTED_BY,
            at.key_arn(&at.region, &item["KMSKeyArn"]),
        );
        Some(function)
    }
}

async fn page(at: &Place, found: &mut Found<'_>, functions: Vec<Json>) -> Result<(), Failure> {
    let tags = |function: &Json| tags(at, arn(&function["FunctionArn"]));
    let functions = found.more(functions, tags).await;
    found.checked(functions).await
}

async fn tags(at: &Place, function: Option<String>) -> Answers {
    let request = at.lambda.list_tags().set_resource(function);
    let answer = at.call(Service::LAMBDA, "ListTags", |capture| {
        request.customize().interceptor(capture).send()
    });
    vec![("Tags", answer.await.map(take("Tags")))]
}

/// A function's own ARN, without the version or alias of it that others name.
pub(super) fn unqualified(arn: &str) -> String {
    let parts: Vec<&str> = arn.split(':').take(7).collect();
    parts.join(":")
}
