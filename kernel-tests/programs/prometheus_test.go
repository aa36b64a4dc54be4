package programs

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"cassini/kernel-tests/undertest"

	"golang.org/x/crypto/bcrypt"
)

// A real Prometheus finds what to scrape by Cassini's service discovery: Cassini itself.
func TestPrometheusFindsServices(t *testing.T) {
	c := startCassini(t, t.TempDir())
	dir, port := t.TempDir(), undertest.Port(t)
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
		for _, target := range targets(port) {
			if target.Health == "up" && target.Labels["program"] == "cassini" && target.Labels["host"] != "" && target.ScrapeURL == c.api+"/metrics" {
				return true
			}
		}
		return false
	})
}

// target is one that Prometheus scrapes.
type target struct {
	Health, LastError, ScrapeURL string
	Labels                       map[string]string
}

// targets are those of the Prometheus on a port; none while it does not answer.
func targets(port int) []target {
	r, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/api/v1/targets", port))
	if err != nil {
		return nil
	}
	defer r.Body.Close()
	var answer struct {
		Data struct{ ActiveTargets []target }
	}
	_ = json.NewDecoder(r.Body).Decode(&answer) // without an answer there is none
	return answer.Data.ActiveTargets
}

// A real Prometheus scrapes a port for metrics alone, on a socket that systemd opened, as a
// user of the web configuration.
func TestPrometheusOnAPortOfItsOwn(t *testing.T) {
	dir, port, web := t.TempDir(), undertest.Port(t), undertest.Port(t)
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"web.yml": fmt.Sprintf("basic_auth_users:\n  prometheus: %s\n", hash),
		"prometheus.yml": fmt.Sprintf(`scrape_configs:
  - job_name: cassini
    scrape_interval: 1s
    basic_auth: {username: prometheus, password: secret}
    static_configs: [{targets: ["127.0.0.1:%[1]d"]}]
  - job_name: somebody
    scrape_interval: 1s
    static_configs: [{targets: ["127.0.0.1:%[1]d"]}]
`, web),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	launch(t, nil, dir, "systemd-socket-activate", "-l", fmt.Sprintf("127.0.0.1:%d", web), os.Getenv("CASSINI_BINARY"), "run",
		"--data-dir", t.TempDir(), "--listen", undertest.Addr(t), "--metrics-systemd-socket", "--metrics-config", filepath.Join(dir, "web.yml"))
	launch(t, nil, dir, "prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path="+dir, fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port))
	eventually(t, "the user's scrapes are answered and somebody's are not", func() bool {
		health := make(map[string]string)
		for _, target := range targets(port) {
			health[target.Labels["job"]] = target.Health + " " + target.LastError
		}
		return health["cassini"] == "up " && health["somebody"] == "down server returned HTTP status 401 Unauthorized"
	})
}
