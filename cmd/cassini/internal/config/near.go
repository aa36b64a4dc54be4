package config

import "strings"

// maxTypos is how many letters may be wrong in a key for another to be suggested.
const maxTypos = 2

// suggest says which key may have been meant, or which there are.
func suggest(key string, keys []string) string {
	best, least := "", maxTypos+1
	for _, k := range keys {
		d := distance(fold(key), fold(k))
		if d < least {
			best, least = k, d
		}
	}
	if best != "" && len(key) <= maxKey {
		return "did you mean " + best + "?"
	}
	return "known are " + strings.Join(keys, ", ")
}

// maxKey bounds what is compared.
const maxKey = 64

// fold makes spellings equal that people mix up: log_level, logLevel is log-level.
func fold(key string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "", ".", "").Replace(key[:min(len(key), maxKey)]))
}

// distance counts the bytes to insert, to leave out or to change that make a into b, as
// Levenshtein defined it.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
