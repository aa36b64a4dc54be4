package record

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// compare orders kernels by age, then by name; amd64 comes before arm64.
func compare(a, b Tried) int {
	return cmp.Or(cmp.Compare(a.Arch, b.Arch), slices.Compare(series(a), series(b)), cmp.Compare(a.Kernel, b.Kernel), cmp.Compare(a.Booted, b.Booted))
}

func series(t Tried) []int {
	name, _, _ := strings.Cut(t.Kernel, "-")
	major, minor, _ := strings.Cut(name, ".")
	first, _ := strconv.Atoi(major)
	second, _ := strconv.Atoi(minor)
	return []int{first, second}
}

// title names a kernel in the tables.
func (t Tried) title() string {
	title := t.Kernel
	if t.Booted != "" {
		title += " `" + t.Booted + "`"
	}
	if t.Arch != "amd64" {
		title += " " + t.Arch
	}
	return title
}

// Tables returns what became of which kernel, and what serves which fact, in Markdown.
func (r Record) Tables() string {
	var b strings.Builder
	b.WriteString("\n| kernel | Debian's package | tests of | passed | skipped | failed | on |\n|---|---|---|---|---|---|---|\n")
	for _, t := range r.Tried {
		fmt.Fprintf(&b, "| %s | %s %s | %s | %d | %d | %s | %s |\n", t.title(), t.Package, t.Version,
			strings.Join(t.Binaries, ", "), t.Tests["pass"], t.Tests["skip"], t.failed(), t.On)
	}
	b.WriteString("\n| fact | hook | on |\n|---|---|---|\n")
	for _, fact := range r.facts() {
		r.served(&b, fact)
	}
	b.WriteString("\n")
	return b.String()
}

func (t Tried) failed() string {
	if len(t.Failed) == 0 {
		return "0"
	}
	return strings.Join(t.Failed, "; ")
}

// facts are those that any kernel has, in the order in which they were told.
func (r Record) facts() []string {
	var facts []string
	for _, t := range r.Tried {
		for _, h := range t.Hooks {
			if !slices.Contains(facts, h.Fact) {
				facts = append(facts, h.Fact)
			}
		}
	}
	return facts
}

// served writes a line for each hook that serves a fact on some kernel.
func (r Record) served(b *strings.Builder, fact string) {
	var hooks []Hook
	on := make(map[Hook][]string)
	for _, t := range r.Tried {
		for _, h := range t.Hooks {
			if h.Fact != fact {
				continue
			}
			if !slices.Contains(hooks, h) {
				hooks = append(hooks, h)
			}
			on[h] = append(on[h], t.title())
		}
	}
	for _, h := range hooks {
		where := strings.Join(on[h], ", ")
		if len(hooks) == 1 && len(on[h]) == len(r.Tried) {
			where = "all"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", fact, h.words(), where)
	}
}

func (h Hook) words() string {
	switch {
	case h.Hook == "":
		return "none"
	case h.First:
		return h.Hook
	default:
		return h.Hook + " (not the first choice)"
	}
}
