package main

import (
	"context"
	"sync"

	"github.com/spf13/pflag"

	"cassini/agent/enroll"
	"cassini/agent/outbox"
	"cassini/cmd/cassini/internal/config"
	"cassini/manager"
)

// addTLS adds the settings of a manager that is reached beyond loopback.
func addTLS(flags *pflag.FlagSet, t *manager.TLS) {
	flags.StringSliceVar(&t.Names, "tls-name", nil, "further `names` and addresses at which this manager is reached, for its certificate")
	flags.StringVar(&t.Files.Cert, "tls-cert", "", "`file` with the manager's certificate and those that signed it, of another authority, in PEM")
	flags.StringVar(&t.Files.Key, "tls-key", "", "`file` with its key")
	flags.StringVar(&t.Files.ClientCA, "tls-client-ca", "", "`file` with the authority of agents' certificates, beside the manager's own")
	flags.DurationVar(&t.Life, "agent-certificate-life", 0, "how long certificates of agents are good for; 30 days by default")
	_ = flags.MarkHidden("agent-certificate-life") // fails for a flag that is not there
	config.Mark(flags, "tls-name", "tls-cert", "tls-key", "tls-client-ca", "agent-certificate-life")
}

// settleTLS says whether the settings go together. Who names a certificate wants TLS on
// loopback as well.
func settleTLS(t *manager.TLS, insecure bool) error {
	t.On = len(t.Names) > 0 || t.Files.Cert != "" || t.Files.Key != "" || t.Files.ClientCA != ""
	switch {
	case t.On && insecure:
		return usagef("--insecure and --tls-...: one is without TLS, the others are for it")
	case (t.Files.Cert == "") != (t.Files.Key == ""):
		return usagef("--tls-cert/CASSINI_TLS_CERT and --tls-key/CASSINI_TLS_KEY go together")
	case t.Life < 0:
		return usagef("--agent-certificate-life/CASSINI_AGENT_CERTIFICATE_LIFE %v: want a duration above 0", t.Life)
	}
	return nil
}

// worker is what an agent does until the context ends.
type worker func(context.Context) error

// reachManager makes the way to the manager: over https with the certificate of this
// host, which is renewed while the agent works.
func reachManager(cfg serveConfig) (*outbox.HTTPSink, func(worker) worker, error) {
	way := wayBy(cfg.Finder)
	if way == nil && !isHTTPS(cfg.Manager) {
		return outbox.NewHTTPSink(cfg.Manager, agentURL(cfg)), func(w worker) worker { return w }, nil
	}
	member, err := openMember(cfg, way)
	if err != nil {
		return nil, nil, err
	}
	renewing := func(w worker) worker {
		return func(ctx context.Context) error {
			ctx, stop := context.WithCancel(ctx)
			var renewal sync.WaitGroup
			defer renewal.Wait()
			defer stop()
			renewal.Go(func() { _ = member.Run(ctx) }) // nil: it ends with the context
			return w(ctx)
		}
	}
	if way != nil {
		return outbox.NewDialSink(way.URL(), agentURL(cfg), member.Dial), renewing, nil
	}
	return outbox.NewTLSSink(cfg.Manager, agentURL(cfg), member.TLS()), renewing, nil
}

func openMember(cfg serveConfig, way *enroll.Way) (*enroll.Member, error) {
	if way != nil {
		return enroll.OpenBy(cfg.DataDir, cfg.Host, way, cfg.Logger)
	}
	return enroll.Open(cfg.DataDir, cfg.Host, cfg.Manager, cfg.Logger)
}
