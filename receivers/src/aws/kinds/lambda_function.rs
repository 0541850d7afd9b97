//! Lambda functions.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::api::fields::{arn, each, take_field, text};
use crate::aws::api::{AccountRegion, AwsService, Pager, ScanFailure};
use crate::aws::listing::{
    DetailResults, KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind,
};

/// Fields that `GetFunctionConfiguration` returns and `ListFunctions` does not.
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
impl ResourceKind for Function {
    fn info(&self) -> KindInfo {
        KindInfo::regional("AWS::Lambda::Function", AwsService::LAMBDA, "function:*")
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        if let Some(uid) = target.uid() {
            let request = at.lambda.get_function_configuration().function_name(uid);
            let response = at.call(AwsService::LAMBDA, "GetFunctionConfiguration", |capture| {
                request.customize().interceptor(capture).send()
            });
            let function = response.await?;
            if text(&function["FunctionArn"]).is_none() {
                let call = at.api_call(AwsService::LAMBDA, "GetFunctionConfiguration");
                return Err(ScanFailure::malformed(
                    call,
                    "the response has no FunctionArn",
                ));
            }
            return write_page(at, out, vec![function]).await;
        }
        let mut pages = Pager::new(AwsService::LAMBDA, "ListFunctions", "Functions");
        while let Some(token) = pages.next() {
            let request = at.lambda.list_functions().max_items(50).set_marker(token);
            let response = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            write_page(at, out, response.await?).await?;
        }
        Ok(())
    }

    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft> {
        let name = &item["FunctionName"];
        let mut function = ResourceDraft::new(arn(&item["FunctionArn"])?, item);
        function.remove_fields(&UNLISTED);
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

async fn write_page(
    at: &AccountRegion,
    out: &mut PageWriter<'_>,
    functions: Vec<Json>,
) -> Result<(), ScanFailure> {
    let tags = |function: &Json| tags(at, arn(&function["FunctionArn"]));
    let functions = out.add_details(functions, tags).await;
    out.write_detailed(functions).await
}

async fn tags(at: &AccountRegion, function: Option<String>) -> DetailResults {
    let request = at.lambda.list_tags().set_resource(function);
    let response = at.call(AwsService::LAMBDA, "ListTags", |capture| {
        request.customize().interceptor(capture).send()
    });
    vec![("Tags", response.await.map(take_field("Tags")))]
}

/// The ARN of a function, from a reference that may end with a version or an alias.
pub(super) fn unqualified(arn: &str) -> String {
    let parts: Vec<&str> = arn.split(':').take(7).collect();
    parts.join(":")
}
