package parser

import "strings"

// Keywords are the words that mean something at a place in a query; a shell
// completes them.
func Keywords() []string {
	return []string{"ALL", "AND", "ANY", "AS", "ASC", "BY", "CASE", "CONTAINS", "DESC", "DISTINCT", "ELSE", "END", "ENDS WITH",
		"EXISTS", "EXPLAIN", "FALSE", "IN", "IS NOT NULL", "IS NULL", "LIMIT", "MATCH", "NONE", "NOT", "NULL", "OFFSET", "OPTIONAL MATCH", "OR", "ORDER BY",
		"RETURN", "SINGLE", "SKIP", "STARTS WITH", "THEN", "TRUE", "UNION", "UNION ALL", "UNWIND", "WHEN", "WHERE", "WITH", "XOR"}
}

// reserved are words that cannot stand for a variable in an expression.
func reserved(word string) bool {
	switch strings.ToUpper(word) {
	case "MATCH", "OPTIONAL", "WHERE", "WITH", "UNWIND", "RETURN", "UNION", "ORDER", "SKIP", "LIMIT", "AND", "OR", "XOR", "NOT", "IN", "IS", "AS",
		"DISTINCT", "STARTS", "ENDS", "CONTAINS", "CASE", "CREATE", "MERGE", "DELETE", "DETACH", "SET", "REMOVE", "BY", "DESC", "ASC":
		return true
	}
	return false
}

// writing are words that begin a clause that would change the graph.
func writing(word string) bool {
	switch strings.ToUpper(word) {
	case "CREATE", "MERGE", "DELETE", "DETACH", "SET", "REMOVE", "FOREACH", "LOAD", "DROP", "ALTER", "INSERT":
		return true
	}
	return false
}

// nearKeyword is the keyword that somebody may have meant, or "".
func nearKeyword(word string) string {
	word = strings.ToUpper(word)
	for _, k := range Keywords() {
		if first, _, _ := strings.Cut(k, " "); len(word) > 2 && word != first && distance(word, first) <= 1+len(first)/6 {
			return first
		}
	}
	return ""
}

// distance is how many letters are to be changed, added, dropped or swapped with
// their neighbour.
func distance(a, b string) int {
	if max(len(a), len(b)) > 20 {
		return 20
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			if i == 0 || j == 0 {
				rows[i][j] = i + j
				continue
			}
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
