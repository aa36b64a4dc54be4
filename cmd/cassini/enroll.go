package main

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"sync"

	"github.com/spf13/pflag"

	"cassini/agent/enroll"
	"cassini/agent/outbox"
	"cassini/cmd/cassini/internal/config"
	"cassini/manager"
	"cassini/model"
)

// addTLS adds the settings of a manager that is reached beyond loopback.
func addTLS(flags *pflag.FlagSet, t *manager.TLS) {
	flags.BoolVar(&t.Announce, "announce", false, "answer agents that ask their network for the manager (--manager srv:local), by multicast DNS")
	flags.StringSliceVar(&t.Names, "tls-name", nil, "further `names` and addresses at which this manager is reached, for its certificate")
	flags.StringVar(&t.Files.Cert, "tls-cert", "", "`file` with the manager's certificate and those that signed it, of another authority, in PEM")
	flags.StringVar(&t.Files.Key, "tls-key", "", "`file` with its key")
	flags.StringVar(&t.Files.ClientCA, "tls-client-ca", "", "`file` with the authority of agents' certificates, beside the manager's own")
	flags.StringSliceVar(&t.Files.IDs, "tls-client-id", nil, "`forms` of names in its certificates by which agents are known: spiffe://example.org/{tenant}/agent/{host}, dns:{host}.example.org")
	flags.StringSliceVar(&t.Files.People, "tls-client-role", nil, "what people and programs may do by their certificates of that authority: `ROLE=NAME` or ROLE@TENANT=NAME, such as viewer=spiffe://example.org/people/{name}, operator=email:{name}@example.org, viewer@shop=subject:/OU=shop/CN={name}")
	flags.StringSliceVar(&t.Files.Lists, "tls-client-crl", nil, "`files` with lists of the certificates that it has revoked (CRL)")
	flags.StringVar(&t.Files.Users, "users-file", "", "`file` with users who have a password: basic_auth_users, with hashes by bcrypt, and roles")
	flags.DurationVar(&t.Life, "agent-certificate-life", 0, "how long certificates of agents are good for; 30 days by default")
	_ = flags.MarkHidden("agent-certificate-life") // fails for a flag that is not there
	config.Mark(flags, "announce", "tls-name", "tls-cert", "tls-key", "tls-client-ca", "tls-client-id", "tls-client-role", "tls-client-crl", "users-file", "agent-certificate-life")
}

// settleTLS says whether the settings go together. Who names a certificate wants TLS on
// loopback as well.
func settleTLS(t *manager.TLS, insecure bool) error {
	f := t.Files
	t.On = t.Announce || len(t.Names)+len(f.IDs)+len(f.People)+len(f.Lists) > 0 || f.Cert != "" || f.Key != "" || f.ClientCA != "" || f.Users != ""
	switch {
	case t.On && insecure:
		return usagef("--insecure and --tls-..., --users-file or --announce: one is without TLS, the others are for it")
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
	member, err := openIdentity(cfg, way)
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

// shownIdentity is how this host shows who it is, and knows its manager.
type shownIdentity interface {
	TLS() *tls.Config
	Dial(ctx context.Context) (net.Conn, error)
	Run(ctx context.Context) error
}

// agentTLS are files of an agent whose certificate another authority gives.
type agentTLS struct{ Cert, Key, CA, ManagerID string }

func (t *agentTLS) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&t.Cert, "tls-cert", "", "`file` with this host's certificate and those that signed it, which somebody else renews, in PEM: it does not join then")
	flags.StringVar(&t.Key, "tls-key", "", "`file` with its key")
	flags.StringVar(&t.CA, "tls-ca", "", "`file` with the authorities of the manager's certificate")
	flags.StringVar(&t.ManagerID, "tls-manager-id", "", "`URI` that the manager's certificate has, such as its SPIFFE ID, instead of being for its name or address")
	config.Mark(flags, "tls-cert", "tls-key", "tls-ca", "tls-manager-id")
}

// settle says whether the settings go together.
func (t *agentTLS) settle(manager string) error {
	switch {
	case *t == agentTLS{}:
		return nil
	case t.Cert == "" || t.Key == "" || t.CA == "":
		return usagef("--tls-cert/CASSINI_TLS_CERT, --tls-key/CASSINI_TLS_KEY and --tls-ca/CASSINI_TLS_CA go together")
	case !isHTTPS(manager) && !strings.HasPrefix(manager, "srv:"):
		return usagef("--tls-cert/CASSINI_TLS_CERT is for a manager at https://..., and --manager/CASSINI_MANAGER is %q", manager)
	}
	return nil
}

// openIdentity opens what this host has: files that somebody else renews, or what it got
// when it joined.
func openIdentity(cfg serveConfig, way *enroll.Way) (shownIdentity, error) {
	if t := cfg.AgentTLS; t.Cert != "" {
		return enroll.OpenFiles(enroll.FileConfig{Cert: t.Cert, Key: t.Key, CA: t.CA, ManagerID: t.ManagerID, Manager: cfg.Manager, Way: way, Logger: cfg.Logger})
	}
	return openMember(cfg, way)
}

func openMember(cfg serveConfig, way *enroll.Way) (m *enroll.Member, err error) {
	if way != nil {
		m, err = enroll.OpenBy(cfg.DataDir, cfg.Host, way, cfg.Logger)
	} else {
		m, err = enroll.Open(cfg.DataDir, cfg.Host, cfg.Manager, cfg.Logger)
	}
	if err == nil {
		m.Tell(func() model.Machine { return ownMachine(cfg.Logger) })
	}
	return m, err
}
