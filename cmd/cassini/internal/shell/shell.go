// Package shell is what the interactive shell knows beside asking: how a line is
// completed, when a query is whole, and where its history is kept.
package shell

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"cassini/manager/cypher"
	"cassini/manager/cypher/functions"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/parser"
	"cassini/manager/cypher/token"
)

// Names are what the graph has, to complete.
type Names struct {
	Labels, Types, Properties []string
}

// Commands are the shell's own, which begin with a colon.
func Commands() []string {
	return []string{":at", ":format", ":help", ":param", ":params", ":quit"}
}

// Complete offers what the word at a position can become: head and tail are what
// stands before and behind it. Positions count characters.
func (n Names) Complete(line string, position int) (head string, words []string, tail string) {
	runes := []rune(line)
	position = min(position, len(runes))
	start := position
	for start > 0 && word(runes[start-1]) {
		start--
	}
	begun := string(runes[start:position])
	head, tail = string(runes[:start]), string(runes[position:])
	before := strings.TrimRight(head, " ")
	switch {
	case strings.TrimSpace(head) == ":" && start == 1:
		return "", beginning(Commands(), ":"+begun), tail
	case strings.HasSuffix(before, "."):
		words = append(beginning(n.Properties, begun), members(before, begun)...)
	case strings.HasSuffix(before, ":") || strings.HasSuffix(before, "|") || strings.HasSuffix(before, "&") || strings.HasSuffix(before, "!"):
		words = beginning(n.after(before), begun)
	case begun == "":
		return head, nil, tail
	default:
		words = general(begun)
	}
	return head, words, tail
}

// after says whether labels or types follow: types stand in square brackets.
func (n Names) after(before string) []string {
	if strings.LastIndexByte(before, '[') > max(strings.LastIndexByte(before, '('), strings.LastIndexByte(before, ']')) {
		return quoted(n.Types)
	}
	return quoted(n.Labels)
}

// quoted puts names in backticks that need them.
func quoted(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = name
		if strings.ContainsFunc(name, func(r rune) bool { return !word(r) }) {
			out[i] = "`" + name + "`"
		}
	}
	return out
}

// members are functions behind the name of another, as between( behind duration.
func members(before, begun string) (list []string) {
	start := strings.LastIndexFunc(strings.TrimSuffix(before, "."), func(r rune) bool { return !word(r) }) + 1
	owner := strings.ToLower(before[start:])
	for _, name := range beginning(functions.Names(), owner+begun) {
		list = append(list, name[len(owner):]+"(")
	}
	return list
}

// general are keywords and functions; keywords come in the case that was begun in.
func general(begun string) []string {
	words := beginning(parser.Keywords(), begun)
	if begun == strings.ToLower(begun) {
		for i := range words {
			words[i] = strings.ToLower(words[i])
		}
	}
	for _, name := range beginning(functions.Names(), begun) {
		words = append(words, name+"(")
	}
	slices.Sort(words)
	return words
}

// beginning are the names that begin so, in whatever case, sorted.
func beginning(names []string, begun string) (list []string) {
	for _, name := range names {
		if len(name) >= len(begun) && strings.EqualFold(strings.TrimPrefix(name, "`")[:min(len(begun), len(strings.TrimPrefix(name, "`")))], begun) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

func word(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// Whole says whether a text can be sent: it ends with a semicolon or an empty
// line, it is a right query, or it is wrong in a way that more text cannot mend.
func Whole(text string) bool {
	trimmed := strings.TrimSpace(text)
	if trimmed == "" || strings.HasSuffix(trimmed, ";") || strings.HasSuffix(text, "\n\n") {
		return true
	}
	_, err := cypher.Compile(text)
	e, ok := errors.AsType[*issue.Error](err)
	if !ok {
		return true
	}
	open := strings.Contains(e.Message, "does not end")
	return !open && e.At.Offset < len(strings.TrimRight(text, " \t\n"))
}

// OneLine is a query or command as the history keeps it, on one line: without comments,
// which would swallow what follows, and with texts as they are.
func OneLine(text string) string {
	tokens, err := token.Split(text)
	if err != nil || strings.HasPrefix(text, ":") {
		return strings.ReplaceAll(text, "\n", " ")
	}
	var b strings.Builder
	end := 0
	for _, t := range tokens {
		if t.At.Offset > end && b.Len() > 0 && t.Kind != token.EOF {
			b.WriteByte(' ')
		}
		b.WriteString(strings.ReplaceAll(text[t.At.Offset:t.End], "\n", `\n`))
		end = t.End
	}
	return b.String()
}

// HistoryPath is where the history is kept: in the user's state directory, as the
// XDG base directories have it. It is "" for a user without a home.
func HistoryPath(getenv func(string) string) string {
	if dir := getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "cassini", "query_history")
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "cassini", "query_history")
	}
	return ""
}
