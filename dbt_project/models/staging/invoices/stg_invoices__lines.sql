-- One row per line of an invoice.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('invoices', 'lines') }}),

renamed as (

    select
        invoice_id,
        line_id,
        vendor as provider,
        period_start as period_start_date,
        {{ days_between('period_start', 'period_end') }} as day_count,
        cast(amount * 1000000000 as decimal(20, 0)) as amount_nano_usd,
        paid_for,
        workflow_id
    from landed

)

select * from renamed
