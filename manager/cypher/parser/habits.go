package parser

import (
	"strings"

	"cassini/manager/cypher/token"
)

// habit is what to write instead of what other languages have, or "".
func habit(t, behind token.Token) string {
	switch t.Kind {
	case token.Symbol:
		return symbolHabit(t.Text, behind)
	case token.Name:
		return wordHabit(strings.ToUpper(t.Text))
	}
	return ""
}

func symbolHabit(symbol string, behind token.Token) string {
	switch {
	case symbol == "=":
		return "two values are compared by one ="
	case symbol == "!" && isSymbol(behind, "="):
		return "not equal is <>"
	case symbol == "!":
		return "write NOT"
	case symbol == "&":
		return "write AND"
	case symbol == "|":
		return "write OR between conditions, and + between texts"
	}
	return ""
}

func wordHabit(word string) string {
	switch word {
	case "SELECT", "FROM":
		return "this is openCypher: MATCH (n:Host) RETURN n.name"
	case "GROUP":
		return "there is no GROUP BY: rows are grouped by the columns that have no aggregation"
	case "HAVING":
		return "pass the aggregation on by WITH, and put WHERE behind it"
	case "WHERE":
		return "WHERE stands behind MATCH or WITH"
	case "LIKE":
		return "write CONTAINS, STARTS WITH, ENDS WITH, or =~ with a regular expression"
	case "BETWEEN":
		return "write 1 <= n.x <= 2"
	case "NOT":
		return "NOT stands before the whole condition: NOT n.x IN [1, 2]"
	case "IS":
		return "write IS NULL or IS NOT NULL, and = between other values"
	case "MOD":
		return "write %"
	case "PROFILE":
		return "EXPLAIN shows how a query would run"
	case "USING":
		return "leave it out: the planner finds indices by itself"
	case "SHOW", "USE":
		return "there is one graph; what is in it answers MATCH (n) RETURN DISTINCT labels(n)"
	}
	return ""
}
