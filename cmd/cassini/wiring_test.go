package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// wiringAPI finds one cable wrong in every plan with "wrong" in it.
func wiringAPI(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, "as "+r.URL.Query().Get("format"))
			return
		}
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		if !strings.Contains(string(body), "wrong") {
			_, _ = io.WriteString(w, `{"counts":{"right":1},"cables":[{"host":"a","interface":"eth0","state":"right","expected":{"switch":"`+r.Header.Get("Content-Type")+`","port":"`+r.URL.RawQuery+`"}}]}`)
			return
		}
		_, _ = io.WriteString(w, `{"counts":{"right":1,"wrong-port":1},"cables":[{"host":"a","interface":"eth0","state":"right"},`+
			`{"host":"b","interface":"eth1","state":"wrong-port","expected":{"switch":"core-1","port":"7"},"actual":{"switch":"core-1","port":"8"},"note":"a\u001b","line":3}]}`)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestWiring(t *testing.T) {
	api := wiringAPI(t)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, bad, lldpcli := file("good.csv", "right"), file("bad.csv", "wrong"), file("a.json", " {}")
	for name, tc := range map[string]struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		"right":      {[]string{"--plan", good}, 0, "right: 1, wrong port: 0, wrong switch: 0, missing: 0, unplanned: 0\n", ""},
		"all":        {[]string{"--plan", good, "--all", "--partial"}, 0, "text/csv partial=true", ""},
		"wrong":      {[]string{"--plan", bad}, 1, "b/eth1     wrong port  core-1 7  core-1 8     3  a\\x1b\n", ""},
		"wrong json": {[]string{"--plan", bad, "-o", "json"}, 1, `"wrong-port": 1`, ""},
		"lldpcli":    {[]string{"--plan", lldpcli, "--host", "a", "--all"}, 0, "application/json host=a", ""},
		"no host":    {[]string{"--plan", lldpcli}, 2, "", "name it with --host"},
		"no file":    {[]string{"--plan", dir + "/none"}, 2, "", "--plan: open"},
		"nothing":    {nil, 2, "", "want either --plan FILE or --export"},
		"both":       {[]string{"--plan", good, "--export"}, 2, "", "want either --plan FILE or --export"},
		"export":     {[]string{"--export"}, 0, "as csv", ""},
		"export all": {[]string{"--export", "--all"}, 2, "", "--all and --partial are for --plan"},
	} {
		t.Run(name, func(t *testing.T) {
			got := cassini(t, map[string]string{"CASSINI_API": api}, append([]string{"wiring"}, tc.args...)...)
			if got.code != tc.code || !strings.Contains(got.stdout, tc.stdout) || !strings.Contains(got.stderr, tc.stderr) || tc.code == 1 && got.stderr != "" {
				t.Errorf("exit code %d, stdout %q, stderr %q", got.code, got.stdout, got.stderr)
			}
		})
	}
}
