"""Words every capability shares: errors, ids, amounts, periods. Pure; imports nothing of ours."""
