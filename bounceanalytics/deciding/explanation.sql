-- Each verdict as a sentence. View: decided.

CREATE OR REPLACE TEMP VIEW explained AS
WITH phrased AS (
    SELECT
        *,
        -- nobody said anything of most
        CASE
            WHEN kind IS NOT NULL
                THEN concat_ws(' ', reply_code, enhanced_code, CASE reason WHEN 'unclassified' THEN 'unexplained bounce' ELSE title END)
        END AS said,
        CASE
            WHEN event = 'suppressed' AND kind IN ('bounce', 'unexplained')
                THEN '(on the list of the ESP' || coalesce(' since ' || timestamp::DATE, '') || ')'
            ELSE coalesce('on ' || timestamp::DATE, 'at an unknown time')
        END AS day,
        active_by || coalesce(' on ' || active_on::DATE, '') AS was_active,
        CASE
            WHEN by_delivered THEN ', no delivery since'
            WHEN by_opened OR by_clicked
                THEN ', no ' || concat_ws(' or ', CASE WHEN by_opened THEN 'open' END, CASE WHEN by_clicked THEN 'click' END) || ' since'
            ELSE ''
        END AS since
    FROM decided
)
SELECT
    * EXCLUDE (said, day, was_active, since),
    CASE verdict WHEN 'remove' THEN 'Removed: ' WHEN 'hold' THEN 'Held: ' ELSE 'Kept: ' END
    || CASE
        WHEN kind IS NULL AND active_by IS NULL THEN 'no bounce'
        WHEN kind IS NULL THEN 'no bounce, ' || was_active
        WHEN NOT stands AND kind = 'suspected' THEN was_active || ', so the complaint ' || day || ' was most likely another''s'
        WHEN NOT stands THEN was_active || ' and so alive after ' || said || ' ' || day
        WHEN storm THEN said || ' ' || day || ' when many that had taken mail before were refused at once'
        WHEN event IN ('dropped', 'suppressed') AND kind NOT IN ('bounce', 'unexplained') THEN
            CASE event WHEN 'dropped' THEN 'dropped by the ESP ' ELSE 'on the suppression list of the ESP, entered ' END
            || day
            || CASE
                WHEN kind IN ('complained', 'unsubscribed') THEN ' (' || kind || ')'
                WHEN kind = 'unsubscribed_partly' THEN ' (unsubscribed from a part of the mail' || coalesce(': ' || scopes, '') || ')'
                WHEN reason <> 'suppressed' THEN ' (' || said || ')'
                ELSE ''
            END
            || CASE WHEN action = 'fix' THEN '; it is for the sender to act, the address is not at fault' ELSE '' END
        WHEN kind IN ('complained', 'unsubscribed') THEN kind || ' ' || day
        WHEN kind = 'unsubscribed_partly' THEN 'unsubscribed from a part of the mail' || coalesce(' (' || scopes || ')', '') || ' ' || day
        WHEN kind = 'unexplained' AND days = 1 AND verdict <> 'keep'
            THEN 'the ESP calls the bounce ' || day || ' hard, and nobody says why' || since
        WHEN kind = 'suspected' THEN 'one of several who may have complained ' || day
        WHEN verdict = 'hold' AND conflict AND days = 1 THEN said || ' ' || day || '; code, text and the word of the ESP disagree'
        WHEN verdict <> 'keep' AND days = 1 THEN said || ' ' || day || since
        WHEN verdict <> 'keep' OR hold_over
            THEN format(
                '{} bounce day{} from {} to {}, at last {}',
                days, CASE days WHEN 1 THEN '' ELSE 's' END,
                coalesce(first_day::VARCHAR, 'an unknown day'), coalesce(last_day::VARCHAR, 'an unknown day'), said
            ) || CASE WHEN conflict THEN '; code, text and the word of the ESP disagree' ELSE '' END || since
        WHEN action = 'fix' THEN said || ' ' || day || '; it is for the sender to act, the address is not at fault'
        WHEN coalesce(remove_after, hold_after) IS NULL THEN said || ' ' || day || '; this does not speak against the address'
        WHEN days = 1 THEN said || ' ' || day || '; one bounce day is too few'
        ELSE said || ' ' || day || format('; {} bounce days from {} to {} are too few', days, first_day, last_day)
    END
    || CASE
        WHEN verdict <> 'remove' AND suppressed_by IS NOT NULL AND kind IN ('bounce', 'unexplained')
            THEN '; ' || esp_title || ' sends nothing to it, because its list holds it for that'
                || CASE WHEN storm THEN ': take a few of them off that list and try them to learn more' ELSE '' END
        ELSE ''
    END
    || CASE WHEN hold_over THEN '; its hold is over, so it is tried again' ELSE '' END
    || '.'
    || CASE
        WHEN trap_risk THEN format(
            ' Beware: it refused mail from {} and took it again on {}; such addresses can have become spam traps.',
            silent_from::DATE, accepted_again::DATE
        )
        ELSE ''
    END AS explanation
FROM phrased;
