{#- The words of gateways for providers, by the ledger's name for each; a word that is in no list is its own name. -#}
{% macro gateway_words() -%}
    {{ return({
        'openai': ['openai', 'text-completion-openai'],
        'anthropic': ['anthropic', 'anthropic_text'],
        'azure_openai': ['azure', 'azure_text', 'azure_ai'],
        'bedrock': ['bedrock', 'bedrock_converse', 'amazon bedrock'],
        'vertex': ['vertex_ai', 'vertex_ai_beta', 'google', 'google vertex'],
        'google_genai': ['gemini', 'google ai studio'],
        'mistralai': ['mistral', 'codestral', 'text-completion-codestral'],
        'cohere': ['cohere', 'cohere_chat'],
        'huggingface_hub': ['huggingface'],
        'openrouter': ['openrouter'],
    }) }}
{%- endmacro %}

{#- The provider as the ledger names it: from the gateway's word, else from what stands before the slash of the model. What
    speaks OpenAI's or Anthropic's language at a host of its own is not theirs: its host is its name. -#}
{% macro gateway_provider(word, model, host='cast(null as varchar)') -%}
    {%- set said = "lower(coalesce(nullif(" ~ word ~ ", ''), split_part(" ~ model ~ ", '/', 1)))" %}
    case
        {%- for provider in ['openai', 'anthropic'] %}
        when {{ said }} in ('{{ gateway_words()[provider] | join("', '") }}')
            and {{ host }} <> '{{ provider }}.com' and {{ host }} not like '%.{{ provider }}.com' then {{ host }}
        {%- endfor %}
        {%- for provider, words in gateway_words().items() %}
        when {{ said }} in ('{{ words | join("', '") }}') then '{{ provider }}'
        {%- endfor %}
        else nullif({{ word }}, '')
    end
{%- endmacro %}

{#- The model without the gateway's word for the provider before it, and without the route that Bedrock's word brings. -#}
{% macro gateway_model(model) -%}
    {%- set words = gateway_words().values() | sum(start=[]) | reject('in', ['google']) | list %}
    regexp_replace({{ model }}, '^({{ words | join("|") }})/((converse|invoke)/)?', '')
{%- endmacro %}

{#- Input that was neither read from a cache nor written to one. Where these are more than the input they are no part of it, as
    some gateways have it for answers that they replay: then all of it is fresh. -#}
{% macro fresh_input_tokens(input, cached, written) -%}
    case
        when {{ cached }} + {{ written }} <= {{ input }} then {{ input }} - {{ cached }} - {{ written }}
        else {{ input }}
    end
{%- endmacro %}

{#- Whether a request asks a LiteLLM proxy for something that runs no model, as long as no tokens were used: by its own list
    (litellm.constants.NON_INFERENCE_CALL_TYPES) and its spans of the kinds mcp, agent and batch. -#}
{% macro is_litellm_errand(call_type) -%}
    (
        {%- for errand in ['mcp', 'asend_message', 'batch', 'file', 'vector_store', 'container', 'sandbox', 'fine_tuning',
            'assistant', 'get_', 'delete_', 'cancel_', 'list_'] %}
        {{ 'or ' if not loop.first }}coalesce({{ call_type }}, '') like '%{{ errand | replace("_", "!_") }}%' escape '!'
        {%- endfor %}
    )
{%- endmacro %}
