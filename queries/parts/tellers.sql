-- question: Of which protocols could something that is indexed tell of buybacks, and of fees?
-- reads:    buybacks, declared_facts, fees
-- grain:    one row per protocol
-- units:    the steps `buyers` and `earners`: one row per protocol that could
with

-- part: buyers

earners as (

    select protocol from declared_facts
    where fact = 'fees'
    union
    select protocol from fees

)

select protocol from buyers
union
select protocol from earners
