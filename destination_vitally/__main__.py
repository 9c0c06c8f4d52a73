from destination_vitally.run import run

run()
