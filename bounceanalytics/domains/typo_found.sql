-- Pairs of domains with what is known of both. Tables: typo_pairs, typo_suspects, typo_targets. Parameter: ratio.

SELECT
    typo_pairs.domain,
    suggestion,
    suspects.addresses,
    targets.addresses AS suggested_addresses,
    suspects.bounced,
    suspects.dead,
    targets.place
FROM typo_pairs
JOIN typo_suspects AS suspects USING (domain)
JOIN typo_targets AS targets ON targets.domain = suggestion
WHERE
    typo_pairs.domain <> suggestion
    AND (place IS NOT NULL OR targets.addresses >= $ratio * suspects.addresses)
