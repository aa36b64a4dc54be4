package debian

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// candidate is a kernel package that could be fetched.
type candidate struct {
	name, version string
	parts         []string // further packages that hold the same kernel, "name=version"
}

// fetches returns what to fetch, and what to try when that is not to be had:
// some kernels name a linux-base that was never published, and hold its files
// themselves.
func (c candidate) fetches() [][]string {
	all := append([]string{c.name + "=" + c.version}, c.parts...)
	most := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return strings.HasPrefix(name, "linux-base-") })
	if len(most) == len(all) {
		return [][]string{all}
	}
	return [][]string{all, most}
}

// candidates lists a suite's packages of a series and flavour, newest first.
func candidates(ctx context.Context, r *root, want Kernel) ([]candidate, error) {
	out, err := r.apt(ctx, "apt-cache", "search", "--names-only", `^linux-image-[0-9].*-`+want.Arch+"$")
	if err != nil {
		return nil, err
	}
	var names []string
	for line := range strings.Lines(out) {
		name, _, _ := strings.Cut(line, " ")
		names = append(names, strings.TrimSpace(name))
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("find a kernel: the suite has none for %s", want.Arch)
	}
	out, err = r.apt(ctx, "apt-cache", append([]string{"show"}, names...)...)
	if err != nil {
		return nil, err
	}
	found := parseCandidates(out, want)
	if len(found) == 0 {
		return nil, fmt.Errorf("find a kernel: the suite has no %s", want.Name())
	}
	slices.SortFunc(found, func(a, b candidate) int { return compare(ctx, b.version, a.version) })
	return found, nil
}

var (
	// image matches a kernel's package, with its flavour and architecture, and not the ones that only name the newest.
	image = regexp.MustCompile(`^linux-image-[0-9]+\.[0-9]+\.[0-9]+.*?-(?:(cloud|rt)-)?([a-z0-9]+)$`)
	// part matches what an image has been split into from 7.x on.
	part = regexp.MustCompile(`^(linux-(?:base|binary|modules)-\S+) \(= (\S+)\)`)
)

// parseCandidates reads the stanzas of apt-cache show.
func parseCandidates(stanzas string, want Kernel) []candidate {
	var found []candidate
	for stanza := range strings.SplitSeq(stanzas, "\n\n") {
		var c candidate
		for line := range strings.Lines(stanza) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			switch key {
			case "Package":
				c.name = value
			case "Version":
				c.version = value
			case "Depends", "Pre-Depends":
				c.parts = append(c.parts, parts(value)...)
			}
		}
		m := image.FindStringSubmatch(c.name)
		if m != nil && cmp.Or(m[1], Ordinary) == want.Flavour && m[2] == want.Arch && strings.HasPrefix(c.version, want.Series+".") {
			found = append(found, c)
		}
	}
	return found
}

func parts(depends string) []string {
	var found []string
	for dependency := range strings.SplitSeq(depends, ",") {
		if m := part.FindStringSubmatch(strings.TrimSpace(dependency)); m != nil {
			found = append(found, m[1]+"="+m[2])
		}
	}
	return found
}

// compare orders Debian versions as dpkg does.
func compare(ctx context.Context, a, b string) int {
	if a == b {
		return 0
	}
	if exec.CommandContext(ctx, "dpkg", "--compare-versions", a, "lt", b).Run() == nil {
		return -1
	}
	return 1
}
