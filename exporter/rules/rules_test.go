package rules_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"cassini/exporter"
)

var files = []string{"cassini.alerts.yml", "cassini.rules.yml"}

// promtool runs it, where it is.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CASSINI_REQUIRE_ROOT") != "" {
			t.Fatal("promtool is not here; install it (Debian: apt-get install prometheus)")
		}
		t.Skip("NOT CHECKED: promtool is not here; install it (Debian: apt-get install prometheus) to check and test the rules")
	}
	if out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestCheck(t *testing.T) {
	promtool(t, append([]string{"check", "rules", "--lint=all", "--lint-fatal"}, files...)...)
}

func TestRules(t *testing.T) { promtool(t, "test", "rules", "testdata/tests.yml") }

type rule struct {
	Alert, Record, Expr string
	Labels, Annotations map[string]string
}

func rules(t *testing.T) (list []rule) {
	t.Helper()
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var content struct{ Groups []struct{ Rules []rule } }
		if err := yaml.Unmarshal(raw, &content); err != nil {
			t.Fatal(err)
		}
		for _, g := range content.Groups {
			list = append(list, g.Rules...)
		}
	}
	return list
}

// Every alert says what is the matter and what to do, and has a test in which it fires.
func TestAlertsAreWhole(t *testing.T) {
	tests, err := os.ReadFile("testdata/tests.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules(t) {
		if r.Alert == "" {
			if !strings.Contains(string(tests), "expr: "+r.Record) && !strings.Contains(r.Expr, "histogram_quantile") {
				t.Errorf("%s: no test", r.Record) // promtool of Debian 12 knows no native histograms; kernel-tests/dashboards runs that one
			}
			continue
		}
		for _, a := range []string{"summary", "description", "action"} {
			if r.Annotations[a] == "" {
				t.Errorf("%s: no %s", r.Alert, a)
			}
		}
		if !slices.Contains([]string{"critical", "warning", "info"}, r.Labels["severity"]) {
			t.Errorf("%s: severity %q", r.Alert, r.Labels["severity"])
		}
		if fires := regexp.MustCompile(`alertname: ` + r.Alert + `\n\s+exp_alerts:`); !fires.Match(tests) {
			t.Errorf("%s: no test in which it fires", r.Alert)
		}
	}
}

func TestMetricsExist(t *testing.T) {
	document := string(exporter.Document())
	for _, r := range rules(t) {
		for _, name := range regexp.MustCompile(`\bcassini_[a-z_0-9]+`).FindAllString(r.Expr, -1) {
			if !strings.Contains(document, "`"+name+"`") {
				t.Errorf("%s%s: there is no metric %s", r.Alert, r.Record, name)
			}
		}
	}
}
