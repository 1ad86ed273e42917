{#- The model that an id or an ARN of Bedrock names: what follows foundation-model/ or inference-profile/, without the group of
    regions before it. What is behind an application inference profile, provisioned throughput or an own model no name tells:
    there, kind and id stand. -#}
{% macro bedrock_model(model) -%}
    regexp_replace(
        regexp_replace({{ model }}, '^arn:[^:]*:bedrock:[^:]*:[^:]*:((foundation-model|inference-profile)/)?', ''),
        '^(global|us-gov|us|eu|apac|jp|au|ca|sa|me|af|il|mx|in|kr|uk)[.]', ''
    )
{%- endmacro %}
