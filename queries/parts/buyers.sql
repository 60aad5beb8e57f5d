-- question: Of which protocols could something that is indexed tell of buybacks?
-- reads:    buybacks, declared_facts
-- grain:    one row per protocol
-- units:    the step `buyers`: one row per protocol that could
with

buyers as (

    select protocol from declared_facts
    where fact = 'buybacks'
    union
    select protocol from buybacks

)

select * from buyers
