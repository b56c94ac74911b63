-- Measures that add up otherwise, where the addresses are spread over several histories. In place of those of measures.sql.

-- An address has one domain, and lies in one part of a history; a domain may lie in several, so that they go on by name.
CREATE OR REPLACE TEMP MACRO reach(domain, address) AS struct_pack(
    domains := list(DISTINCT domain),
    addresses := count(DISTINCT address)
);
