-- question: Which accounts have a name, and who says so: vaults of a venue, wallets that the settings name?
-- reads:    accounts
-- grain:    one row per chain, protocol and account
-- units:    none
select
    chain_id,
    protocol,
    account,
    name,
    source
from accounts
order by chain_id, protocol, account
