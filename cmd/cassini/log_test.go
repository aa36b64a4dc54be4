package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// logAPI answers every question about the log the same, but for one with a mistake.
func logAPI(t *testing.T) (url string, last func() string) {
	t.Helper()
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Query().Encode()
		if r.URL.Query().Get("group_by") == "host, hots(1)" {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusBadRequest)
			json.NewEncoder(w).Encode(map[string]any{"detail": "group_by, line 1, column 11: no", "code": "group_by", "line": 1, "column": 11})
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"columns":["host","sum(big)"],"rows":[["a\u001b",9007199254740993]],"more":true,"scanned":12345,"matched":3,"failed":2,"failure":"where: no such key: x"}`))
	}))
	t.Cleanup(server.Close)
	return server.URL, func() string { return asked }
}

func TestLog(t *testing.T) {
	api, last := logAPI(t)
	for name, tc := range map[string]struct {
		args                  []string
		asked, stdout, stderr string
	}{
		"table": {[]string{"--where", `host == "a"`, "--group-by", "host,key", "--avg", "x", "--p99", "y", "--percentile", "99.9:y", "--count", "--sort", "-count", "--limit", "5"},
			"aggregate=count%2C+avg%28x%29%2C+p99%28y%29%2C+p99.9%28y%29&group_by=host%2Ckey&limit=5&sort=-count&where=host+%3D%3D+%22a%22",
			"host           sum(big)\na\\x1b  9007199254740993\n", "2 of 12,345 could not be worked out: where: no such key: x"},
		"json":   {[]string{"--sum", "big", "-o", "json"}, "aggregate=sum%28big%29&limit=100", `9007199254740993`, ""},
		"csv":    {[]string{"--columns", "host", "--columns", "key", "-o", "csv"}, "columns=host%2C+key&limit=100", "host,sum(big)\na\\x1b,9007199254740993\n", ""},
		"events": {[]string{"--events", "--every", "1h", "--group-by", "kind"}, "group_by=bucket%28time%2C+duration%28%221h0m0s%22%29%29%2C+kind&limit=100&of=events", "host", "there are more than 100 rows"},
	} {
		t.Run(name, func(t *testing.T) {
			got := cassini(t, map[string]string{"CASSINI_API": api}, append([]string{"log"}, tc.args...)...)
			if got.code != 0 || last() != tc.asked || !strings.Contains(got.stdout, tc.stdout) || !strings.Contains(got.stderr, tc.stderr) {
				t.Errorf("exit code %d, asked %s, stdout %q, stderr %q", got.code, last(), got.stdout, got.stderr)
			}
		})
	}
}

func TestLogWrongly(t *testing.T) {
	api, _ := logAPI(t)
	for name, tc := range map[string]struct {
		args   []string
		code   int
		stderr string
	}{
		"mark":       {[]string{"--group-by", "host, hots(1)"}, 1, "column 11: no\n  host, hots(1)\n            ^"},
		"percentile": {[]string{"--percentile", "99"}, 2, `want N:EXPRESSION`},
		"limit":      {[]string{"--limit", "0"}, 2, "--limit must be 1 or more"},
		"every":      {[]string{"--every", "-1h"}, 2, "--every must be more than nothing"},
		"argument":   {[]string{"host"}, 2, `unexpected argument "host"`},
	} {
		t.Run(name, func(t *testing.T) {
			got := cassini(t, map[string]string{"CASSINI_API": api}, append([]string{"log"}, tc.args...)...)
			if got.code != tc.code || !strings.Contains(got.stderr, tc.stderr) {
				t.Errorf("exit code %d, stderr %q, want %d and %q", got.code, got.stderr, tc.code, tc.stderr)
			}
		})
	}
}
