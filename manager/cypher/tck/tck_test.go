package tck

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"cassini/manager/cypher/issue"
)

// wanted is the share of scenarios that must pass.
const wanted = 0.9

// TestTCK plays every scenario, prints how many of each feature pass, and holds
// the failures against the list of those that are known, in both directions.
func TestTCK(t *testing.T) {
	dir := folder(t)
	list := scenarios(t, dir)
	if len(list) == 0 {
		t.Fatalf("no scenarios in %s", dir)
	}
	known := knownFailures(t)
	passed, all := map[string]int{}, map[string]int{}
	var total, writing int
	for _, s := range list {
		all[s.feature]++
		err := play(t, dir, s)
		reason, listed := known[s.id()]
		switch {
		case err == nil:
			passed[s.feature]++
			total++
			if listed {
				t.Errorf("%s: passes, and stands in known-failures.txt as %q", s.id(), reason)
			}
		case writes(err): // left out by what it asks for, listed or not
			writing++
			t.Logf("left out, for it writes: %s", s.id())
		case !listed:
			t.Errorf("%s\n  %v", s.id(), err)
		}
	}
	for _, feature := range features(all) {
		t.Logf("%4d of %4d  %s", passed[feature], all[feature], feature)
	}
	rate := float64(total) / float64(len(list))
	t.Logf("%4d of %4d  %.1f%% overall; %d that do not pass want to write", total, len(list), rate*100, writing)
	if rate < wanted {
		t.Errorf("%.1f%% pass, at least %.0f%% must", rate*100, wanted*100)
	}
}

// writes says that a query was refused because it would change the graph.
func writes(err error) bool {
	e, ok := errors.AsType[*issue.Error](err)
	return ok && e.Kind == issue.Write
}

func features(m map[string]int) (names []string) {
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// knownFailures reads the list: a reason behind #, then the scenarios.
func knownFailures(t *testing.T) map[string]string {
	t.Helper()
	f, err := os.Open("known-failures.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	known := map[string]string{}
	reason := ""
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "":
		case strings.HasPrefix(line, "#"):
			reason = strings.TrimSpace(strings.TrimPrefix(line, "#"))
		case reason == "":
			t.Errorf("known-failures.txt: %s", fmt.Sprintf("no reason for %q", line))
		default:
			known[line] = reason
		}
	}
	return known
}
