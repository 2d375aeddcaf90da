package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/sparkdist"
)

// The clients, with the versions that the README's matrix names. dbt-databricks 1.12
// needs a parser that is only on GitHub.
const (
	sqlAlchemyPackages = "databricks-sqlalchemy==2.0.10 SQLAlchemy==2.1.9 databricks-sql-connector==4.9.0"
	dbtPackages        = "dbt-databricks==1.11.8 dbt-core==1.11.8 databricks-sql-connector==4.1.5"
	nodePackage        = "@databricks/sql@2.1.0"
)

// The JDBC driver, and Eclipse's compiler: a machine with only a Java runtime has no javac.
var (
	jdbcDriver = sparkdist.Jar{Organisation: "com.databricks", Name: "databricks-jdbc", Version: "3.4.5",
		SHA256: "e6e346ef307c9c9b5f269419431880d0fd219b0152ec262162c13b1ba69e48e8"}
	javaCompiler = sparkdist.Jar{Organisation: "org.eclipse.jdt", Name: "ecj", Version: "3.33.0",
		SHA256: "f7686c4960cf70c2ebc5c500a73a8cfc04541b730c18f1c5c21329889b137f45"}
)

// clientTest skips a test unless make test-clients runs: the clients are installed
// from their registries.
func clientTest(t *testing.T) {
	t.Helper()
	if os.Getenv("LYTICS_TEST_CLIENTS") == "" {
		t.Skip("LEFT OUT: make test-clients runs it")
	}
}

// onPath returns the path of a program, and skips the test loudly if there is none.
func onPath(t *testing.T, program string) string {
	t.Helper()
	found, err := exec.LookPath(program)
	if err != nil {
		skipLoudly(t, program+" is not on PATH")
	}
	return found
}

// installed returns a directory in build/, which install has filled once.
func installed(t *testing.T, name string, install func(dir string)) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("build", strings.NewReplacer("==", "-", " ", "_", "/", "-", "@", "").Replace(name)))
	if err != nil {
		t.Fatal(err)
	}
	complete := filepath.Join(dir, "complete")
	if _, err := os.Stat(complete); err == nil {
		return dir
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	install(dir)
	if err := os.WriteFile(complete, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// pythonWith returns a Python interpreter with these packages.
func pythonWith(t *testing.T, packages string) string {
	t.Helper()
	python := onPath(t, "python3")
	dir := installed(t, packages, func(dir string) {
		if out, err := exec.CommandContext(t.Context(), python, "-m", "venv", dir).CombinedOutput(); err != nil {
			skipLoudly(t, fmt.Sprintf("python3 -m venv does not work on this machine (%v): %s", err, out))
		}
		args := append([]string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check"}, strings.Fields(packages)...)
		runClient(t, exec.CommandContext(t.Context(), filepath.Join(dir, "bin", "python"), args...))
	})
	return filepath.Join(dir, "bin", "python")
}

// runClient runs a program and returns its output.
func runClient(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out)
}

// wantDone runs a client's program, whose last line must be "done".
func wantDone(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if out := runClient(t, cmd); !strings.Contains("\n"+out, "\ndone\n") {
		t.Fatalf("the client did not come to its end:\n%s", out)
	}
}

// clientSandbox runs a sandbox with the engine that LYTICS_SANDBOX_ENGINE names.
func clientSandbox(t *testing.T, args ...string) connection {
	t.Helper()
	if os.Getenv("LYTICS_SANDBOX_ENGINE") == "spark" {
		args = append(args, "-engine", "spark")
		for variable, flag := range map[string]string{"LYTICS_SPARK_HOME": "-spark-home", "LYTICS_SPARK_URL": "-spark-url"} {
			if value := os.Getenv(variable); value != "" {
				args = append(args, flag, value)
			}
		}
	}
	return serve(t, args...)
}

// clientEnv tells a client's program how to reach the sandbox. Spark has no keys and
// tags.
func clientEnv(to connection, more ...string) []string {
	env := append(os.Environ(), "SANDBOX_URL="+to.URL, "SANDBOX_HTTP_PATH="+to.HTTPPath, "SANDBOX_TOKEN="+to.Token,
		"SANDBOX_PORT="+fmt.Sprint(to.Port), "PYTHONPATH=", "PYTHONWARNINGS=ignore")
	if os.Getenv("LYTICS_SANDBOX_ENGINE") == "spark" {
		env = append(env, "SANDBOX_CONSTRAINTS=0")
	}
	return append(env, more...)
}

func TestClientSQLAlchemy(t *testing.T) {
	t.Parallel()
	clientTest(t)
	python := pythonWith(t, sqlAlchemyPackages)
	to := clientSandbox(t)
	cmd := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "use_sqlalchemy.py"))
	cmd.Env = clientEnv(to)
	wantDone(t, cmd)
}

func TestClientDBT(t *testing.T) {
	t.Parallel()
	clientTest(t)
	python := pythonWith(t, dbtPackages)
	to := clientSandbox(t)
	cmd := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "run_dbt_project.py"), t.TempDir())
	cmd.Env = clientEnv(to)
	wantDone(t, cmd)
}

func TestClientNode(t *testing.T) {
	t.Parallel()
	clientTest(t)
	node, npm := onPath(t, "node"), onPath(t, "npm")
	dir := installed(t, "node-"+nodePackage, func(dir string) {
		runClient(t, exec.CommandContext(t.Context(), npm, "install", "--prefix", dir, "--no-audit", "--no-fund", "--ignore-scripts", nodePackage))
	})
	to := clientSandbox(t, "-seed", "-seed-rows", "1000", "-tls")
	cmd := exec.CommandContext(t.Context(), node, filepath.Join("testdata", "use_node_driver.js"))
	cmd.Env = clientEnv(to, "SANDBOX_ROWS=1000", "NODE_EXTRA_CA_CERTS="+to.CAFile, "NODE_PATH="+filepath.Join(dir, "node_modules"))
	wantDone(t, cmd)
}

func TestClientJDBC(t *testing.T) {
	t.Parallel()
	clientTest(t)
	java, keytool := onPath(t, "java"), onPath(t, "keytool")
	spark := sparkdist.Installation{Dir: os.Getenv("LYTICS_SPARK_HOME")}
	dir := installed(t, "java-"+jdbcDriver.Name+"-"+jdbcDriver.Version, func(dir string) {
		for _, jar := range []sparkdist.Jar{jdbcDriver, javaCompiler} {
			if _, err := spark.Fetch(t.Context(), java, jar, dir); err != nil {
				t.Fatal(err)
			}
		}
	})
	jarIn := func(j sparkdist.Jar) string { return filepath.Join(dir, j.Name+"-"+j.Version+".jar") }
	driver, classes := jarIn(jdbcDriver), t.TempDir()
	runClient(t, exec.CommandContext(t.Context(), java, "-jar", jarIn(javaCompiler), "-17", "-nowarn", "-cp", driver,
		"-d", classes, filepath.Join("testdata", "JdbcClient.java")))
	to := clientSandbox(t, "-seed", "-seed-rows", "1000", "-tls")
	trust := filepath.Join(t.TempDir(), "trust.p12")
	runClient(t, exec.CommandContext(t.Context(), keytool, "-importcert", "-noprompt", "-alias", "sandbox", "-file", to.CAFile,
		"-keystore", trust, "-storetype", "PKCS12", "-storepass", "changeit"))
	url := fmt.Sprintf("jdbc:databricks://127.0.0.1:%d/default;ssl=1;AuthMech=3;httpPath=%s;ConnCatalog=main;UseThriftClient=1;EnableTelemetry=0;"+
		"CheckCertRevocation=0;LogLevel=OFF;SSLTrustStore=%s;SSLTrustStorePwd=changeit;SSLTrustStoreType=PKCS12", to.Port, to.HTTPPath, trust)
	wantDone(t, exec.CommandContext(t.Context(), java, "-cp", driver+string(os.PathListSeparator)+classes, "--add-opens=java.base/java.nio=ALL-UNNAMED",
		"JdbcClient", url, to.Token, "1000"))
}
