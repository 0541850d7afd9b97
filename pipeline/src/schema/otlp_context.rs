//! The columns that every OTLP row repeats from its groups: the resource and the instrumentation scope.

use super::{columns, types};

columns! {
    /// Resource attribute `service.name`; null if it is missing or not text.
    SERVICE_NAME "service_name": types::text() => nullable;
    /// Resource attribute `service.namespace`; null if it is missing or not text.
    SERVICE_NAMESPACE "service_namespace": types::text() => nullable;
    /// `Resource.attributes`; null if the group has no `Resource`.
    RESOURCE_ATTRIBUTES "resource_attributes": types::attributes() => nullable;
    /// `Resource.dropped_attributes_count`.
    RESOURCE_DROPPED_ATTRIBUTES_COUNT "resource_dropped_attributes_count": types::uint32();
    /// `Resource.entity_refs` as a run of `EntityRef` messages on the wire; null if there are none.
    RESOURCE_ENTITY_REFS "resource_entity_refs": types::bytes() => nullable;
    /// `schema_url` of the resource group; empty if it is missing.
    RESOURCE_SCHEMA_URL "resource_schema_url": types::text();
    /// `InstrumentationScope.name`; null if the group has no scope.
    SCOPE_NAME "scope_name": types::text() => nullable;
    /// `InstrumentationScope.version`; null if the group has no scope.
    SCOPE_VERSION "scope_version": types::text() => nullable;
    /// `InstrumentationScope.attributes`; null if the group has no scope.
    SCOPE_ATTRIBUTES "scope_attributes": types::attributes() => nullable;
    /// `InstrumentationScope.dropped_attributes_count`.
    SCOPE_DROPPED_ATTRIBUTES_COUNT "scope_dropped_attributes_count": types::uint32();
    /// `schema_url` of the scope group; empty if it is missing.
    SCOPE_SCHEMA_URL "scope_schema_url": types::text();
}
