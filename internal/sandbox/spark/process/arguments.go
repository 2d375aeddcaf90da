package process

import (
	"fmt"
	"os"
	"path/filepath"
)

// addOpens are the Java packages that Spark accesses by reflection.
var addOpens = []string{
	"java.base/java.lang", "java.base/java.lang.invoke", "java.base/java.lang.reflect", "java.base/java.io",
	"java.base/java.net", "java.base/java.nio", "java.base/java.util", "java.base/java.util.concurrent",
	"java.base/java.util.concurrent.atomic", "java.base/jdk.internal.ref", "java.base/sun.nio.ch",
	"java.base/sun.nio.cs", "java.base/sun.security.action", "java.base/sun.util.calendar",
	"java.security.jgss/sun.security.krb5",
}

// logConfig limits Spark's log to warnings and errors.
const logConfig = `rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n%ex{5}
# They report statements that fail, which their clients are told.
logger.operation.name = org.apache.spark.sql.hive.thriftserver
logger.operation.level = off
logger.cli.name = org.apache.hive.service
logger.cli.level = off
`

// arguments returns the command line of the server. Spark's own start scripts are
// not used: they would start further processes.
func arguments(o Options, port int) ([]string, error) {
	jars, err := o.Home.SparkJars()
	if err != nil {
		return nil, err
	}
	logged := filepath.Join(o.DataDir, "log4j2.properties")
	if err := os.WriteFile(logged, []byte(logConfig), 0o600); err != nil {
		return nil, fmt.Errorf("write the configuration of Spark's log: %w", err)
	}
	args := []string{
		"-Dlog4j2.configurationFile=" + logged,
		"-cp", filepath.Join(jars, "*") + string(filepath.ListSeparator) + filepath.Join(o.Home.DeltaJars(), "*"),
		"-Xms256m", "-Xmx2g", "-Xss4m", "-XX:+IgnoreUnrecognizedVMOptions",
		"-Djdk.reflect.useDirectMethodHandle=false", "-Dio.netty.tryReflectionSetAccessible=true",
		"-Djava.io.tmpdir=" + filepath.Join(o.DataDir, "tmp"),
		"-Dderby.system.home=" + o.DataDir,
		"-Duser.timezone=UTC", "-Dfile.encoding=UTF-8",
		"-Dspark.submit.deployMode=client", "-Dspark.app.name=sandbox",
	}
	if o.SmallStatements {
		// With the first compiler alone the code cache is 48 MB by default. A suite of
		// tests fills it, and the next statement fails with "Out of space in CodeCache
		// for adapters".
		args = append(args, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:ReservedCodeCacheSize=256m")
	} else {
		args = append(args, "-XX:+UseG1GC")
	}
	for _, open := range addOpens {
		args = append(args, "--add-opens="+open+"=ALL-UNNAMED")
	}
	for _, kv := range settings(o) {
		args = append(args, "-D"+kv)
	}
	args = append(args, "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2")
	for _, kv := range []string{
		"hive.server2.transport.mode=http",
		"hive.server2.thrift.bind.host=127.0.0.1",
		fmt.Sprintf("hive.server2.thrift.http.port=%d", port),
		"hive.server2.logging.operation.enabled=false",
		"hive.exec.scratchdir=" + filepath.Join(o.DataDir, "tmp", "hive"),
		"javax.jdo.option.ConnectionURL=jdbc:derby:;databaseName=" + filepath.Join(o.DataDir, "metastore") + ";create=true",
	} {
		args = append(args, "--hiveconf", kv)
	}
	return args, nil
}

func settings(o Options) []string {
	out := []string{
		"spark.master=local[2]",
		"spark.driver.host=127.0.0.1", "spark.driver.bindAddress=127.0.0.1",
		"spark.ui.enabled=false",
		"spark.local.dir=" + filepath.Join(o.DataDir, "tmp"),
		"spark.sql.warehouse.dir=" + filepath.Join(o.DataDir, "warehouse"),
		"spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension",
		"spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog",
		"spark.sql.sources.default=delta",
		// The default starts a system process for each commit, to be safe among
		// several writers. This server is the only writer.
		"spark.delta.logStore.file.impl=io.delta.storage.LocalLogStore",
		"spark.sql.session.timeZone=Etc/UTC",
		"spark.sql.ansi.enabled=true",
		// Rows are sent partition by partition, so that a result need not fit into
		// memory.
		"spark.sql.thriftServer.incrementalCollect=true",
		// ${...} in a statement is not substituted.
		"spark.sql.variable.substitute=false",
		"spark.sql.thriftserver.ui.retainedStatements=10", "spark.sql.thriftserver.ui.retainedSessions=10",
		"spark.sql.ui.retainedExecutions=5", "spark.ui.retainedJobs=10", "spark.ui.retainedStages=10", "spark.ui.retainedTasks=100",
	}
	if o.EventLog != "" {
		out = append(out, "spark.eventLog.enabled=true", "spark.eventLog.dir=file://"+filepath.ToSlash(o.EventLog),
			"spark.eventLog.compress=false", "spark.eventLog.rolling.enabled=false")
	}
	if o.SmallStatements {
		// Optimizing and compiling costs more than it saves on small statements.
		return append(out, "spark.sql.shuffle.partitions=2", "spark.default.parallelism=2", "spark.databricks.delta.snapshotPartitions=1",
			"spark.sql.adaptive.enabled=false", "spark.sql.codegen.wholeStage=false", "spark.sql.codegen.factoryMode=NO_CODEGEN")
	}
	// Few partitions make small tables fast.
	return append(out, "spark.sql.shuffle.partitions=4", "spark.default.parallelism=4", "spark.databricks.delta.snapshotPartitions=2")
}
