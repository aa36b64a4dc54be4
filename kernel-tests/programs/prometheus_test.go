package programs

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A real Prometheus finds what to scrape by Cassini's service discovery: Cassini itself.
func TestPrometheusFindsServices(t *testing.T) {
	c := startCassini(t, t.TempDir())
	dir, port := t.TempDir(), freePort(t)
	config := fmt.Sprintf(`scrape_configs:
  - job_name: found
    scrape_interval: 1s
    http_sd_configs:
      - url: %s/api/v1/prometheus/targets?program=cassini&loopback=true
        refresh_interval: 1s
    relabel_configs:
      - {source_labels: [__meta_cassini_host], target_label: host}
      - {source_labels: [__meta_cassini_program], target_label: program}
`, c.api)
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p := launch(t, nil, dir, "prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path="+dir, fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port))
	defer p.stop(syscall.SIGTERM)
	eventually(t, "an up target with labels", func() bool {
		r, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/api/v1/targets", port))
		if err != nil {
			return false
		}
		defer r.Body.Close()
		var answer struct {
			Data struct {
				ActiveTargets []struct {
					Health    string
					Labels    map[string]string
					ScrapeURL string
				}
			}
		}
		if json.NewDecoder(r.Body).Decode(&answer) != nil {
			return false
		}
		for _, target := range answer.Data.ActiveTargets {
			if target.Health == "up" && target.Labels["program"] == "cassini" && target.Labels["host"] != "" && target.ScrapeURL == c.api+"/metrics" {
				return true
			}
		}
		return false
	})
}
